// See conv_winograd.h.
#include "conv_winograd.h"

#include <ATen/ATen.h>
#include <torch/library.h>

#include <vector>

#include "conv_tensors.h"
#include "isa.h"

namespace spikedhs {
namespace {

constexpr int64_t kSide = 3;

// The convolution, and what the gradient of its weights goes over.
WinogradConv forward_conv(const WinogradFamily &family, const at::Tensor &x,
                          int64_t out, int64_t stride,
                          at::IntArrayRef padding) {
  WinogradConv c(x);
  c.out = out;
  c.out_height = (c.height + 2 * padding[0] - kSide) / stride + 1;
  c.out_width = (c.width + 2 * padding[1] - kSide) / stride + 1;
  c.kernels = stride == 1 ? &family.unit : &family.strided;
  c.top = -padding[0];
  c.left = -padding[1];
  c.direct = kSide * kSide * c.out_height * c.out_width;
  return c;
}

// The convolution of dL/dy `grad` that computes dL/dx.
WinogradConv backward_conv(const WinogradFamily &family, const at::Tensor &x,
                           const at::Tensor &grad, int64_t stride,
                           at::IntArrayRef padding) {
  WinogradConv c(grad);
  c.out = x.size(1);
  c.out_height = x.size(2);
  c.out_width = x.size(3);
  c.direct = kSide * kSide * c.height * c.width;
  if (stride == 1) {
    c.kernels = &family.unit;
    c.top = padding[0] - (kSide - 1);
    c.left = padding[1] - (kSide - 1);
  } else {
    c.kernels = &family.strided_back;
    c.top = c.left = -1;
    c.out_top = -padding[0];
    c.out_left = -padding[1];
  }
  return c;
}

// A weight whose taps lie at equal steps, as they do in both of libtorch's
// layouts.
at::Tensor even(const at::Tensor &weight) {
  return weight.stride(2) == kSide * weight.stride(3) ? weight
                                                      : weight.contiguous();
}

at::Tensor run(const WinogradConv &c, const at::Tensor &x,
               const WinogradWeights &weights, const float *bias) {
  const at::Tensor y =
      empty_last({c.images, c.out, c.out_height, c.out_width}, x);
  winograd_forward(c, x.data_ptr<float>(), weights, bias, y.data_ptr<float>());
  return y;
}

}  // namespace

bool winograd_fits(const at::Tensor &x, const at::Tensor &weight,
                   int64_t stride) {
  return x.device().is_cpu() && weight.device().is_cpu() && x.dim() == 4 &&
         weight.dim() == 4 && x.scalar_type() == at::kFloat &&
         weight.scalar_type() == at::kFloat && x.numel() > 0 &&
         weight.size(0) > 0 && weight.size(2) == kSide &&
         weight.size(3) == kSide && (stride == 1 || stride == 2);
}

const WinogradFamily *winograd_for(const at::Tensor &x,
                                   const at::Tensor &weight, int64_t stride,
                                   at::IntArrayRef padding) {
  if (isa() == Isa::generic || !wanted(Kernels::winograd) ||
      !winograd_fits(x, weight, stride)) {
    return nullptr;
  }
  const WinogradFamily &family = winograd_kernels();
  const auto c = forward_conv(family, x, weight.size(0), stride, padding);
  return c.pays() ? &family : nullptr;
}

at::Tensor winograd_forward(const WinogradFamily &family, const at::Tensor &x,
                            const at::Tensor &weight,
                            const optional<at::Tensor> &bias, int64_t stride,
                            at::IntArrayRef padding) {
  const auto c = forward_conv(family, x, weight.size(0), stride, padding);
  const std::vector<float> offsets = offsets_of(bias, c.out);
  const at::Tensor full = even(weight);
  return run(
      c, last(x),
      {full.data_ptr<float>(), full.stride(0), full.stride(1), full.stride(3)},
      offsets.data());
}

at::Tensor winograd_input_gradient(const WinogradFamily &family,
                                   const at::Tensor &x, const at::Tensor &grad,
                                   const at::Tensor &weight, int64_t stride,
                                   at::IntArrayRef padding) {
  const auto c = backward_conv(family, x, grad, stride, padding);
  const std::vector<float> zeros(c.out, 0.0f);
  const at::Tensor full = even(weight);
  WinogradWeights weights = {full.data_ptr<float>(), full.stride(1),
                             full.stride(0), full.stride(3)};
  if (stride == 1) {  // turned around
    weights.data += (kSide * kSide - 1) * weights.tap_step;
    weights.tap_step = -weights.tap_step;
  }
  return run(c, last(grad), weights, zeros.data());
}

at::Tensor winograd_weight_gradient(const WinogradFamily &family,
                                    const at::Tensor &x, const at::Tensor &grad,
                                    int64_t stride, at::IntArrayRef padding) {
  const auto c = forward_conv(family, x, grad.size(1), stride, padding);
  const at::Tensor in = last(x), out = last(grad);
  const at::Tensor result = at::empty({c.out, c.in, kSide, kSide},
                                      at::TensorOptions().dtype(at::kFloat));
  winograd_weight_gradient(c, in.data_ptr<float>(), out.data_ptr<float>(),
                           result.data_ptr<float>());
  return result;
}

namespace {

// For tests: whether it pays or not, and on plain loops too.
const WinogradFamily &checked(const at::Tensor &x, const at::Tensor &weight,
                              int64_t stride, at::IntArrayRef padding,
                              bool plain) {
  check_conv("winograd", x, weight, stride, padding);
  TORCH_CHECK(winograd_fits(x, weight, stride),
              "winograd: not for these tensors");
  return plain ? *generic::winograd() : winograd_kernels();
}

at::Tensor forward_checked(const at::Tensor &x, const at::Tensor &weight,
                           const optional<at::Tensor> &bias, int64_t stride,
                           at::IntArrayRef padding, bool plain) {
  return winograd_forward(checked(x, weight, stride, padding, plain), x, weight,
                          bias, stride, padding);
}

template <bool kOfInput>
at::Tensor gradient_checked(const at::Tensor &x, const at::Tensor &grad,
                            const at::Tensor &weight, int64_t stride,
                            at::IntArrayRef padding, bool plain) {
  check_conv_gradient("winograd", x, grad, weight, stride, padding);
  TORCH_CHECK(grad.scalar_type() == x.scalar_type(),
              "winograd: a gradient of another type");
  const auto &family = checked(x, weight, stride, padding, plain);
  return kOfInput
             ? winograd_input_gradient(family, x, grad, weight, stride, padding)
             : winograd_weight_gradient(family, x, grad, stride, padding);
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, m) {
  m.def(
      "winograd_forward(Tensor x, Tensor weight, Tensor? bias, int stride, "
      "int[] padding, bool plain) -> Tensor",
      &spikedhs::forward_checked);
  m.def(
      "winograd_input_gradient(Tensor x, Tensor grad, Tensor weight, int "
      "stride, int[] padding, bool plain) -> Tensor",
      &spikedhs::gradient_checked<true>);
  m.def(
      "winograd_weight_gradient(Tensor x, Tensor grad, Tensor weight, int "
      "stride, int[] padding, bool plain) -> Tensor",
      &spikedhs::gradient_checked<false>);
}
