// How many kernels each operator launches on a GPU: the table behind every
// figure of launches in docs/cuda.md.
//
// Sources: ATen's CUDA code, aten/src/ATen/native/cuda, of libtorch 2.x.
// Pointwise operators, copies, fills and reductions are one kernel
// (TensorIterator: Loops.cuh, Reduce.cuh); memory is allocated and viewed
// without one. Where a number is not 1, the place it comes from stands beside
// it. A large reduction may take a second kernel and a tensor beyond 2^31 bytes
// is cut: neither is counted. Operators that are composed of others are not
// here: their parts are counted when they arrive at the device.
#include <ATen/core/ivalue.h>

#include <algorithm>
#include <unordered_map>

#include "fake.h"

namespace spikedhs::fake {
namespace {

const std::unordered_map<std::string, int64_t> table = {
    // Memory.h: no kernel, or a memset, which a graph has as a node like one.
    {"aten::zero_", 1},
    {"aten::fill_", 1},
    {"aten::set_", 0},
    {"aten::_local_scalar_dense", 0},  // a copy, counted as a read
    {"aten::equal", 2},                // eq, all; and a read
    // Pointwise (Loops.cuh).
    {"aten::abs", 1},
    {"aten::add", 1},
    {"aten::addcdiv", 1},
    {"aten::addcmul", 1},
    {"aten::add_", 1},
    {"aten::addcdiv_", 1},
    {"aten::addcmul_", 1},
    {"aten::arange", 1},
    {"aten::bitwise_and", 1},
    {"aten::bitwise_not", 1},
    {"aten::bitwise_or", 1},
    {"aten::clamp", 1},
    {"aten::clamp_max", 1},
    {"aten::clamp_min", 1},
    {"aten::cos", 1},
    {"aten::div", 1},
    {"aten::div_", 1},
    {"aten::eq", 1},
    {"aten::exp", 1},
    {"aten::floor", 1},
    {"aten::ge", 1},
    {"aten::gt", 1},
    {"aten::heaviside", 1},
    {"aten::isfinite", 1},
    {"aten::isnan", 1},
    {"aten::le", 1},
    {"aten::lerp", 1},
    {"aten::lerp_", 1},
    {"aten::log", 1},
    {"aten::log2", 1},
    {"aten::logical_and", 1},
    {"aten::logical_not", 1},
    {"aten::logical_or", 1},
    {"aten::lt", 1},
    {"aten::masked_fill_", 1},
    {"aten::maximum", 1},
    {"aten::minimum", 1},
    {"aten::mul", 1},
    {"aten::mul_", 1},
    {"aten::nan_to_num", 1},
    {"aten::ne", 1},
    {"aten::neg", 1},
    {"aten::pow", 1},
    {"aten::reciprocal", 1},
    {"aten::relu", 1},
    {"aten::relu_", 1},
    {"aten::remainder", 1},
    {"aten::round", 1},
    {"aten::rsqrt", 1},
    {"aten::rsub", 1},
    {"aten::sgn", 1},
    {"aten::sigmoid", 1},
    {"aten::sign", 1},
    {"aten::sin", 1},
    {"aten::sqrt", 1},
    {"aten::square", 1},
    {"aten::sub", 1},
    {"aten::sub_", 1},
    {"aten::tanh", 1},
    {"aten::tanh_backward", 1},
    {"aten::threshold_backward", 1},
    {"aten::trunc", 1},
    {"aten::where", 1},
    // Reductions (Reduce.cuh), and softmax with its kin (SoftMax.cu).
    {"aten::_log_softmax", 1},
    {"aten::_log_softmax_backward_data", 1},
    {"aten::_softmax", 1},
    {"aten::_softmax_backward_data", 1},
    {"aten::all", 1},
    {"aten::amax", 1},
    {"aten::amin", 1},
    {"aten::any", 1},
    {"aten::argmax", 1},
    {"aten::argmin", 1},
    {"aten::count_nonzero", 2},  // ne, sum
    {"aten::cumsum", 1},
    {"aten::linalg_vector_norm", 1},
    {"aten::max", 1},
    {"aten::mean", 1},
    {"aten::min", 1},
    {"aten::norm", 1},
    {"aten::prod", 1},
    {"aten::std", 1},
    {"aten::sum", 1},
    {"aten::var", 1},
    {"aten::logsumexp",
     4},  // composed inside: amax, sub, exp and sum, log and add
    // Shape.cu: up to 128 inputs in one kernel.
    {"aten::cat", 1},
    {"aten::_cat", 1},
    {"aten::flip", 1},
    {"aten::roll", 1},
    {"aten::tril", 1},
    {"aten::triu", 1},
    // Indexing.cu, IndexKernel.cu, TensorTopK.cu (find the value, gather),
    // Sort.cu.
    {"aten::gather", 1},
    {"aten::index", 1},
    {"aten::index_add", 1},
    {"aten::index_add_", 1},
    {"aten::index_copy_", 1},
    {"aten::index_fill_", 1},
    {"aten::index_put_", 1},
    {"aten::index_select", 1},
    {"aten::masked_select", 3},
    {"aten::nonzero", 3},
    {"aten::repeat_interleave", 2},
    {"aten::scatter", 2},  // a copy, and the kernel
    {"aten::scatter_", 1},
    {"aten::scatter_add", 2},
    {"aten::scatter_add_", 1},
    {"aten::sort", 2},
    {"aten::take", 1},
    {"aten::topk", 2},
    // Blas.cpp: one product of cuBLAS, its sum with another tensor inside.
    {"aten::addmm", 1},
    {"aten::addmv", 1},
    {"aten::baddbmm", 1},
    {"aten::bmm", 1},
    {"aten::dot", 1},
    {"aten::mm", 1},
    {"aten::mv", 1},
    // Normalization.cu: statistics, their running means, the values; and two
    // kernels backward.
    {"aten::native_batch_norm", 3},
    {"aten::native_batch_norm_backward", 2},
    // NLLLoss*.cu; the gradient is filled with zeros first.
    {"aten::nll_loss_forward", 1},
    {"aten::nll_loss_backward", 2},
    {"aten::nll_loss2d_forward", 1},
    {"aten::nll_loss2d_backward", 2},
    // Pooling and resizing (AdaptiveAveragePooling.cu, AveragePool2d.cu,
    // UpSampleNearest*.cu).
    {"aten::_adaptive_avg_pool2d", 1},
    {"aten::_adaptive_avg_pool2d_backward", 1},
    {"aten::adaptive_avg_pool2d", 1},
    {"aten::avg_pool2d", 1},
    {"aten::avg_pool2d_backward", 1},
    {"aten::max_pool2d_with_indices", 1},
    {"aten::max_pool2d_with_indices_backward", 2},  // zeros first
    {"aten::upsample_nearest2d", 1},
    {"aten::upsample_nearest2d_backward", 1},
    {"aten::upsample_nearest3d", 1},
    {"aten::upsample_nearest3d_backward", 1},
    {"aten::upsample_bilinear2d", 1},
    {"aten::upsample_bilinear2d_backward", 2},  // zeros first
    // AmpKernels.cu.
    {"aten::_amp_update_scale_", 1},
    // Random numbers (Distribution*.cu).
    {"aten::bernoulli_", 1},
    {"aten::normal_", 1},
    {"aten::uniform_", 1},
    {"aten::random_", 1},
};

// Tensors whose elements one kernel takes in one go: all lists of the call.
std::vector<std::vector<at::Tensor>> lists_of(
    at::ArrayRef<c10::IValue> arguments) {
  std::vector<std::vector<at::Tensor>> lists;
  for (const c10::IValue &a : arguments) {
    if (a.isTensorList() && !a.toTensorVector().empty())
      lists.push_back(a.toTensorVector());
  }
  return lists;
}

// ForeachUtils.h, can_use_fast_route: one type, one layout, dense.
bool fast_route(const std::vector<std::vector<at::Tensor>> &lists) {
  for (size_t i = 0; i < lists[0].size(); i++) {
    const at::Tensor &first = lists[0][i];
    if (!first.is_non_overlapping_and_dense()) return false;
    for (const auto &list : lists) {
      if (list.size() != lists[0].size())
        continue;  // such as state_steps of one
      if (list[i].sizes() == first.sizes() &&
          list[i].strides() != first.strides()) {
        return false;
      }
    }
  }
  return true;
}

// MultiTensorApply.cuh: a kernel takes at most so many tensors, by the number
// of lists, and 320 chunks of 65,536 elements.
int64_t chunked(const std::vector<std::vector<at::Tensor>> &lists) {
  constexpr int64_t kChunk = 65536, kBlocks = 320;
  constexpr int64_t kTensors[] = {110, 64, 48, 36, 30};
  const int64_t most = kTensors[std::min<size_t>(lists.size(), 5) - 1];
  int64_t launches = 0, tensors = 0, blocks = 0;
  for (const at::Tensor &t : lists[0]) {
    if (t.numel() == 0) continue;
    tensors++;
    const int64_t chunks = (t.numel() + kChunk - 1) / kChunk;
    for (int64_t c = 0; c < chunks; c++) {
      blocks++;
      if (blocks == kBlocks || (tensors == most && c == chunks - 1)) {
        launches++;
        blocks = 0;
        tensors = c == chunks - 1 ? 0 : 1;
      }
    }
  }
  return blocks > 0 ? launches + 1 : launches;
}

int64_t launches_of_foreach(const std::string &name,
                            at::ArrayRef<c10::IValue> arguments, bool *slow) {
  const auto lists = lists_of(arguments);
  if (lists.empty()) return 0;
  *slow = !fast_route(lists);
  // ForeachReduceOp.cu: a second kernel adds the sums of the chunks.
  const int64_t more = name == "aten::_foreach_norm" ? 1 : 0;
  if (*slow) return static_cast<int64_t>(lists[0].size());
  return chunked(lists) + more;
}

}  // namespace

int64_t launches_of(const std::string &name,
                    at::ArrayRef<c10::IValue> arguments, bool *slow_foreach) {
  if (name.rfind("aten::_foreach_", 0) == 0 ||
      name.rfind("aten::_fused_", 0) == 0 ||
      name == "aten::_amp_foreach_non_finite_check_and_unscale_") {
    return launches_of_foreach(name, arguments, slow_foreach);
  }
  const auto found = table.find(name);
  return found != table.end() ? found->second : -1;
}

c10::MemoryFormat convolution_format(const at::Tensor &input,
                                     const at::Tensor &weight) {
  // ConvUtils.h, cudnn_conv_suggest_memory_format: channels last if either is.
  for (const at::Tensor &t : {input, weight}) {
    const auto format = t.suggest_memory_format();
    if (format != c10::MemoryFormat::Contiguous) return format;
  }
  return c10::MemoryFormat::Contiguous;
}

// Conv_v7.cpp: a copy of what lies in another layout, the convolution, and the
// bias, which is added by an operator of its own.
int64_t launches_of_convolution(const at::Tensor &input,
                                const at::Tensor &weight, bool bias) {
  const auto format = convolution_format(input, weight);
  return 1 + (bias ? 1 : 0) + (input.is_contiguous(format) ? 0 : 1) +
         (weight.is_contiguous(format) ? 0 : 1);
}

// One kernel for each gradient, the bias' a sum; copies as forward.
int64_t launches_of_convolution_backward(const at::Tensor &grad,
                                         const at::Tensor &input,
                                         const at::Tensor &weight,
                                         std::array<bool, 3> wanted) {
  const auto format = convolution_format(input, weight);
  int64_t launches = grad.is_contiguous(format) ? 0 : 1;
  if (wanted[0]) launches += 1 + (weight.is_contiguous(format) ? 0 : 1);
  if (wanted[1]) launches += 1 + (input.is_contiguous(format) ? 0 : 1);
  if (wanted[2]) launches += 1;
  return launches;
}

}  // namespace spikedhs::fake
