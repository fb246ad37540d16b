// See conv_winograd.h.
#include "conv_winograd.h"

#include <ATen/ATen.h>
#include <torch/library.h>

#include <algorithm>
#include <vector>

#include "conv_tensors.h"
#include "isa.h"

namespace spikedhs {
namespace {

constexpr int64_t kSide = 3;

at::Tensor last(const at::Tensor &t) {
  return t.contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor empty_last(at::IntArrayRef sizes, const at::Tensor &like) {
  return at::empty(
      sizes, like.options().memory_format(at::MemoryFormat::ChannelsLast));
}

WinogradConv shape_of(const at::Tensor &x, int64_t out,
                      at::IntArrayRef padding) {
  WinogradConv c{};
  c.images = x.size(0);
  c.in = x.size(1);
  c.height = x.size(2);
  c.width = x.size(3);
  c.out = out;
  c.out_height = c.height + 2 * padding[0] - (kSide - 1);
  c.out_width = c.width + 2 * padding[1] - (kSide - 1);
  c.top = -padding[0];
  c.left = -padding[1];
  return c;
}

// body(data of t) as the type that the loops have for it.
template <typename Body>
void with_type(const at::Tensor &t, Body body) {
  if (t.scalar_type() == at::kBFloat16) {
    body(halves(t));
  } else {
    body(t.data_ptr<float>());
  }
}

template <typename Scalar>
Scalar *data_as(const at::Tensor &t, Scalar *) {
  return static_cast<Scalar *>(t.data_ptr());
}

// A weight in float32 whose taps lie at equal steps, as they do in both of
// libtorch's layouts.
at::Tensor even(const at::Tensor &weight) {
  const at::Tensor full = weight.to(at::kFloat);
  return full.stride(2) == kSide * full.stride(3) ? full : full.contiguous();
}

at::Tensor run(const WinogradKernels &kernels, const WinogradConv &c,
               const at::Tensor &x, const WinogradWeights &weights,
               const float *bias) {
  const at::Tensor y =
      empty_last({c.images, c.out, c.out_height, c.out_width}, x);
  with_type(x, [&](auto *from) {
    winograd_forward(kernels, c, from, weights, bias, data_as(y, from));
  });
  return y;
}

}  // namespace

bool winograd_fits(const at::Tensor &x, const at::Tensor &weight,
                   int64_t stride) {
  const auto type = x.scalar_type();
  return x.device().is_cpu() && weight.device().is_cpu() && x.dim() == 4 &&
         weight.dim() == 4 && type == weight.scalar_type() &&
         (type == at::kFloat || type == at::kBFloat16) && x.numel() > 0 &&
         weight.size(0) > 0 && weight.size(2) == kSide &&
         weight.size(3) == kSide && stride == 1;
}

const WinogradKernels *winograd_for(const at::Tensor &x,
                                    const at::Tensor &weight, int64_t stride,
                                    at::IntArrayRef padding) {
  if (isa() == Isa::kGeneric || !winograd_fits(x, weight, stride)) {
    return nullptr;
  }
  return shape_of(x, weight.size(0), padding).pays() ? winograd_kernels()
                                                     : nullptr;
}

at::Tensor winograd_forward(const WinogradKernels &kernels, const at::Tensor &x,
                            const at::Tensor &weight,
                            const optional<at::Tensor> &bias,
                            at::IntArrayRef padding) {
  const WinogradConv c = shape_of(x, weight.size(0), padding);
  std::vector<float> offsets(c.out, 0.0f);
  if (bias.has_value() && bias->defined()) {
    const at::Tensor values = bias->to(at::kFloat).contiguous();
    std::copy_n(values.data_ptr<float>(), c.out, offsets.begin());
  }
  const at::Tensor full = even(weight);
  return run(
      kernels, c, last(x),
      {full.data_ptr<float>(), full.stride(0), full.stride(1), full.stride(3)},
      offsets.data());
}

at::Tensor winograd_input_gradient(const WinogradKernels &kernels,
                                   const at::Tensor &x, const at::Tensor &grad,
                                   const at::Tensor &weight,
                                   at::IntArrayRef padding) {
  const int64_t around[] = {kSide - 1 - padding[0], kSide - 1 - padding[1]};
  const WinogradConv c = shape_of(grad, x.size(1), around);
  const std::vector<float> zeros(c.out, 0.0f);
  const at::Tensor full = even(weight);
  const int64_t tap = full.stride(3);
  return run(kernels, c, last(grad),
             {full.data_ptr<float>() + (kSide * kSide - 1) * tap,
              full.stride(1), full.stride(0), -tap},
             zeros.data());
}

at::Tensor winograd_weight_gradient(const WinogradKernels &kernels,
                                    const at::Tensor &x, const at::Tensor &grad,
                                    at::IntArrayRef padding) {
  const WinogradConv c = shape_of(x, grad.size(1), padding);
  const at::Tensor in = last(x), out = last(grad);
  at::Tensor result = at::empty({c.out, c.in, kSide, kSide},
                                at::TensorOptions().dtype(at::kFloat));
  with_type(in, [&](auto *from) {
    winograd_weight_gradient(kernels, c, from, data_as(out, from),
                             result.data_ptr<float>());
  });
  return result;
}

namespace {

// For tests: whatever pays, and on plain loops too.
const WinogradKernels &checked(const at::Tensor &x, const at::Tensor &weight,
                               bool plain) {
  TORCH_CHECK(winograd_fits(x, weight, 1), "winograd: not for these tensors");
  return plain ? *generic::winograd() : *winograd_kernels();
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, m) {
  using namespace spikedhs;
  m.def(
      "winograd_forward(Tensor x, Tensor weight, Tensor? bias, int[] padding, "
      "bool plain) -> Tensor",
      [](const at::Tensor &x, const at::Tensor &weight,
         const optional<at::Tensor> &bias, at::IntArrayRef padding,
         bool plain) {
        check_conv("winograd", x, weight, 1, padding);
        return winograd_forward(checked(x, weight, plain), x, weight, bias,
                                padding);
      });
  m.def(
      "winograd_input_gradient(Tensor x, Tensor grad, Tensor weight, int[] "
      "padding, bool plain) -> Tensor",
      [](const at::Tensor &x, const at::Tensor &grad, const at::Tensor &weight,
         at::IntArrayRef padding, bool plain) {
        check_conv_gradient("winograd", x, grad, weight, 1, padding);
        TORCH_CHECK(grad.scalar_type() == x.scalar_type(),
                    "winograd: a gradient of another type");
        return winograd_input_gradient(checked(x, weight, plain), x, grad,
                                       weight, padding);
      });
  m.def(
      "winograd_weight_gradient(Tensor x, Tensor grad, Tensor weight, int[] "
      "padding, bool plain) -> Tensor",
      [](const at::Tensor &x, const at::Tensor &grad, const at::Tensor &weight,
         at::IntArrayRef padding, bool plain) {
        check_conv_gradient("winograd", x, grad, weight, 1, padding);
        TORCH_CHECK(grad.scalar_type() == x.scalar_type(),
                    "winograd: a gradient of another type");
        return winograd_weight_gradient(checked(x, weight, plain), x, grad,
                                        padding);
      });
}
