// spikedhs::depth_stack; see depth.h.
#include "depth.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>

#include "depth_tensors.h"
#include "dispatched.h"

namespace spikedhs {

void check_depth(const at::Tensor &x, int64_t planes) {
  TORCH_CHECK(x.dim() == 4 && x.is_floating_point(),
              "depth_stack: the input must be floating point of shape "
              "[N*D, C, H, W], is ",
              x.scalar_type(), " ", x.sizes());
  TORCH_CHECK(planes > 0 && x.size(0) % planes == 0, "depth_stack: ", planes,
              " planes do not divide the batch of ", x.sizes());
}

at::Tensor depth_stack_composed(const at::Tensor &x, int64_t planes) {
  check_depth(x, planes);
  const at::Tensor in = x.permute({0, 2, 3, 1}).unflatten(0, {-1, planes});
  const at::Tensor padded =
      at::constant_pad_nd(in, {0, 0, 0, 0, 0, 0, 1, 1}).contiguous();
  std::vector<at::Tensor> taps;
  for (int64_t k = 0; k < kDepthTaps; k++) {
    taps.push_back(padded.narrow(1, k, planes));
  }
  return at::cat(taps, 4).flatten(0, 1).permute({0, 3, 1, 2});
}

at::Tensor depth_stack_backward_composed(const at::Tensor &grad,
                                         int64_t planes) {
  const int64_t c = grad.size(1) / kDepthTaps;
  const at::Tensor in = grad.permute({0, 2, 3, 1}).unflatten(0, {-1, planes});
  at::Tensor sum = in.narrow(4, c, c).clone(at::MemoryFormat::Contiguous);
  if (planes > 1) {
    sum.narrow(1, 0, planes - 1)
        .add_(in.narrow(4, 0, c).narrow(1, 1, planes - 1));
    sum.narrow(1, 1, planes - 1)
        .add_(in.narrow(4, 2 * c, c).narrow(1, 0, planes - 1));
  }
  return sum.flatten(0, 1).permute({0, 3, 1, 2});
}

namespace {

constexpr int64_t kGrain = 1 << 14;  // elements below which threads do not pay

// body(plane, row of it, row of the tensor) for all rows of images, in
// parallel.
template <typename Body>
void for_rows(const at::Tensor &x, int64_t planes, const Body &body) {
  const int64_t height = x.size(2);
  const int64_t size = std::max<int64_t>(1, x.size(1) * x.size(3));
  at::parallel_for(0, x.size(0) * height, std::max<int64_t>(1, kGrain / size),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t row = begin; row < end; row++) {
                       body(row / height % planes, row);
                     }
                   });
}

at::Tensor stack_cpu(const at::Tensor &x, int64_t planes) {
  check_depth(x, planes);
  const at::Tensor in = x.contiguous(at::MemoryFormat::ChannelsLast);
  const int64_t c = x.size(1), width = x.size(3), row_size = width * c;
  const int64_t plane_size = x.size(2) * row_size;
  at::Tensor out = depth_empty(x, kDepthTaps * c);
  lif_dispatch<kForCpu>(x.scalar_type(), "depth_stack", [&](auto element) {
    using scalar_t = typename decltype(element)::type;
    const auto *from = lif_elements<scalar_t>(in);
    auto *to = lif_elements<scalar_t>(out);
    for_rows(x, planes, [&](int64_t plane, int64_t row) {
      for (int64_t k = 0; k < kDepthTaps; k++) {
        const int64_t source = plane + k - 1;
        auto *put = to + row * kDepthTaps * row_size + k * c;
        if (source < 0 || source >= planes) {
          for (int64_t i = 0; i < width; i++, put += kDepthTaps * c) {
            std::fill_n(put, c, LifElement<scalar_t>{});
          }
          continue;
        }
        const auto *get = from + row * row_size + (k - 1) * plane_size;
        for (int64_t i = 0; i < width; i++, put += kDepthTaps * c, get += c) {
          std::copy_n(get, c, put);
        }
      }
    });
  });
  return out;
}

at::Tensor stack_backward_cpu(const at::Tensor &grad, int64_t planes) {
  const at::Tensor in = grad.contiguous(at::MemoryFormat::ChannelsLast);
  const int64_t c = grad.size(1) / kDepthTaps, width = grad.size(3);
  const int64_t row_size = width * c, plane_size = grad.size(2) * row_size;
  at::Tensor out = depth_empty(grad, c);
  lif_dispatch<kForCpu>(
      grad.scalar_type(), "depth_stack_backward", [&](auto element) {
        using scalar_t = typename decltype(element)::type;
        using Real = LifReal<scalar_t>;
        const auto *from = lif_elements<scalar_t>(in);
        auto *to = lif_elements<scalar_t>(out);
        for_rows(out, planes, [&](int64_t plane, int64_t row) {
          // Tap k of plane p holds plane p + k - 1, so ours is in p =
          // plane+1-k.
          const auto *get = from + kDepthTaps * (row * row_size + plane_size);
          const int64_t tap = c - kDepthTaps * plane_size;
          const bool first = plane + 1 < planes, last = plane > 0;
          auto *put = to + row * row_size;
          for (int64_t i = 0; i < width; i++, get += kDepthTaps * c, put += c) {
            for (int64_t j = 0; j < c; j++) {
              Real sum = load(get[tap + j]);
              if (first) sum += load(get[j]);
              if (last) sum += load(get[2 * tap + j]);
              store(put + j, sum);
            }
          }
        });
      });
  return out;
}

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct StackFunction : torch::autograd::Function<StackFunction> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &x,
                            int64_t planes) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->saved_data["planes"] = planes;
    return depth_stack(x, planes);
  }

  static variable_list backward(AutogradContext *context, variable_list grads) {
    return {
        depth_stack_backward(grads[0], context->saved_data["planes"].toInt()),
        at::Tensor()};
  }
};

at::Tensor stack_autograd(const at::Tensor &x, int64_t planes) {
  return StackFunction::apply(x, planes);
}

}  // namespace

at::Tensor depth_stack(const at::Tensor &x, int64_t planes) {
  static const auto op =
      dispatched<decltype(depth_stack_composed)>("spikedhs::depth_stack");
  return op.call(x, planes);
}

at::Tensor depth_stack_backward(const at::Tensor &grad, int64_t planes) {
  static const auto op = dispatched<decltype(depth_stack_backward_composed)>(
      "spikedhs::depth_stack_backward");
  return op.call(grad, planes);
}

at::Tensor depth_weight(const at::Tensor &weight) {
  return weight.permute({0, 2, 1, 3, 4})
      .flatten(1, 2)
      .contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor depth_weight_backward(const at::Tensor &grad, int64_t taps) {
  return grad.unflatten(1, {taps, -1}).permute({0, 2, 1, 3, 4}).contiguous();
}

}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, library) {
  library.def("depth_stack(Tensor x, int planes) -> Tensor");
  library.def("depth_stack_backward(Tensor grad, int planes) -> Tensor");
}

TORCH_LIBRARY_IMPL(spikedhs, CPU, library) {
  library.impl("depth_stack", &spikedhs::stack_cpu);
  library.impl("depth_stack_backward", &spikedhs::stack_backward_cpu);
}

TORCH_LIBRARY_IMPL(spikedhs, CompositeExplicitAutograd, library) {
  library.impl("depth_stack", &spikedhs::depth_stack_composed);
  library.impl("depth_stack_backward",
               &spikedhs::depth_stack_backward_composed);
}

TORCH_LIBRARY_IMPL(spikedhs, Autograd, library) {
  library.impl("depth_stack", &spikedhs::stack_autograd);
}
