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
  const std::vector<float> offsets = offsets_of(bias, c.out);
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
  const at::Tensor result = at::empty({c.out, c.in, kSide, kSide},
                                      at::TensorOptions().dtype(at::kFloat));
  with_type(in, [&](auto *from) {
    winograd_weight_gradient(kernels, c, from, data_as(out, from),
                             result.data_ptr<float>());
  });
  return result;
}

namespace {

// For tests: whether it pays or not, and on plain loops too.
const WinogradKernels &checked(const at::Tensor &x, const at::Tensor &weight,
                               at::IntArrayRef padding, bool plain) {
  check_conv("winograd", x, weight, 1, padding);
  TORCH_CHECK(winograd_fits(x, weight, 1), "winograd: not for these tensors");
  return plain ? *generic::winograd() : *winograd_kernels();
}

const WinogradKernels &checked_gradient(const at::Tensor &x,
                                        const at::Tensor &grad,
                                        const at::Tensor &weight,
                                        at::IntArrayRef padding, bool plain) {
  check_conv_gradient("winograd", x, grad, weight, 1, padding);
  TORCH_CHECK(grad.scalar_type() == x.scalar_type(),
              "winograd: a gradient of another type");
  return checked(x, weight, padding, plain);
}

at::Tensor forward_checked(const at::Tensor &x, const at::Tensor &weight,
                           const optional<at::Tensor> &bias,
                           at::IntArrayRef padding, bool plain) {
  return winograd_forward(checked(x, weight, padding, plain), x, weight, bias,
                          padding);
}

at::Tensor input_gradient_checked(const at::Tensor &x, const at::Tensor &grad,
                                  const at::Tensor &weight,
                                  at::IntArrayRef padding, bool plain) {
  return winograd_input_gradient(
      checked_gradient(x, grad, weight, padding, plain), x, grad, weight,
      padding);
}

at::Tensor weight_gradient_checked(const at::Tensor &x, const at::Tensor &grad,
                                   const at::Tensor &weight,
                                   at::IntArrayRef padding, bool plain) {
  return winograd_weight_gradient(
      checked_gradient(x, grad, weight, padding, plain), x, grad, padding);
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, m) {
  m.def(
      "winograd_forward(Tensor x, Tensor weight, Tensor? bias, int[] padding, "
      "bool plain) -> Tensor",
      &spikedhs::forward_checked);
  m.def(
      "winograd_input_gradient(Tensor x, Tensor grad, Tensor weight, int[] "
      "padding, bool plain) -> Tensor",
      &spikedhs::input_gradient_checked);
  m.def(
      "winograd_weight_gradient(Tensor x, Tensor grad, Tensor weight, int[] "
      "padding, bool plain) -> Tensor",
      &spikedhs::weight_gradient_checked);
}
