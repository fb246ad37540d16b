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
#include <sstream>
#include <unordered_map>

#include "fake.h"

namespace spikedhs::fake {
namespace {

// The operators of namespace aten that make so many launches, by their names.
struct Group {
  int64_t launches;
  const char *operators;
};

const Group groups[] = {
    // Memory.h: no kernel, or a memset, which a graph has as a node like one.
    {1, "zero_ fill_"},
    // Memory alone; a copy, which is counted as a read.
    {0, "set_ _local_scalar_dense"},
    {2, "equal"},  // eq, all; and a read
    // Pointwise (Loops.cuh).
    {1,
     "abs add addcdiv addcmul add_ addcdiv_ addcmul_ arange bitwise_and "
     "bitwise_not bitwise_or clamp clamp_max clamp_min cos div div_ eq "
     "exp floor ge gt heaviside isfinite isnan le lerp lerp_ log log2 "
     "logical_and logical_not logical_or lt masked_fill_ maximum minimum "
     "mul mul_ nan_to_num ne neg pow reciprocal relu relu_ remainder "
     "round rsqrt rsub sgn sigmoid sign sin sqrt square sub sub_ tanh "
     "tanh_backward threshold_backward trunc where"},
    // Reductions (Reduce.cuh), and softmax with its kin (SoftMax.cu).
    {1,
     "_log_softmax _log_softmax_backward_data _softmax "
     "_softmax_backward_data all amax amin any argmax argmin cumsum "
     "linalg_vector_norm max mean min norm prod std sum var"},
    {2, "count_nonzero"},  // ne, sum
    {4, "logsumexp"},  // composed inside: amax, sub, exp and sum, log and add
    // Shape.cu: up to 128 inputs in one kernel.
    {1, "cat _cat flip roll tril triu"},
    // Indexing.cu, IndexKernel.cu, TensorTopK.cu (find the value, gather),
    // Sort.cu.
    {1,
     "gather index index_add index_add_ index_copy_ index_fill_ "
     "index_put_ index_select scatter_ scatter_add_ take"},
    {2, "repeat_interleave sort topk"},
    {2, "scatter scatter_add"},  // a copy, and the kernel
    {3, "masked_select nonzero"},
    // Blas.cpp: one product of cuBLAS, its sum with another tensor inside.
    {1, "addmm addmv baddbmm bmm dot mm mv"},
    // Normalization.cu: statistics, their running means, the values; and two
    // kernels backward.
    {3, "native_batch_norm"},
    {2, "native_batch_norm_backward"},
    // NLLLoss*.cu; the gradient is filled with zeros first.
    {1, "nll_loss_forward nll_loss2d_forward"},
    {2, "nll_loss_backward nll_loss2d_backward"},
    // Pooling and resizing (AdaptiveAveragePooling.cu, AveragePool2d.cu,
    // UpSampleNearest*.cu); two where zeros are written first.
    {1,
     "_adaptive_avg_pool2d _adaptive_avg_pool2d_backward "
     "adaptive_avg_pool2d avg_pool2d avg_pool2d_backward "
     "max_pool2d_with_indices upsample_nearest2d "
     "upsample_nearest2d_backward upsample_nearest3d "
     "upsample_nearest3d_backward upsample_bilinear2d"},
    {2, "max_pool2d_with_indices_backward upsample_bilinear2d_backward"},
    // AmpKernels.cu.
    {1, "_amp_update_scale_"},
    // Random numbers (Distribution*.cu).
    {1, "bernoulli_ normal_ uniform_ random_"},
};

const std::unordered_map<std::string, int64_t> table = [] {
  std::unordered_map<std::string, int64_t> all;
  for (const Group &group : groups) {
    std::istringstream names(group.operators);
    for (std::string name; names >> name;) {
      all.emplace("aten::" + name, group.launches);
    }
  }
  return all;
}();

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
