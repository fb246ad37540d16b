// What convolutions and their gradients ask of their tensors.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "compat.h"
#include "lif_step.h"

namespace spikedhs {

inline Bf16 *halves(const at::Tensor &t) {
  return static_cast<Bf16 *>(t.data_ptr());
}

// The input of a convolution, dense with channels last.
struct Images {
  int64_t images, in, height, width;
  explicit Images(const at::Tensor &x)
      : images(x.size(0)), in(x.size(1)), height(x.size(2)), width(x.size(3)) {}
};

// Dense, with channels last.
inline at::Tensor last(const at::Tensor &t) {
  return t.contiguous(at::MemoryFormat::ChannelsLast);
}

inline at::Tensor empty_last(at::IntArrayRef sizes, const at::Tensor &like) {
  return at::empty(
      sizes, like.options().memory_format(at::MemoryFormat::ChannelsLast));
}

// Room for numbers that no tensor of the caller has.
inline at::Tensor memory(int64_t elements, at::ScalarType type) {
  return at::empty({elements}, at::TensorOptions().dtype(type));
}

// A bias of `channels` numbers, or as many zeros.
inline std::vector<float> offsets_of(const optional<at::Tensor> &bias,
                                     int64_t channels) {
  std::vector<float> result(channels, 0.0f);
  if (bias.has_value() && bias->defined()) {
    const at::Tensor values = bias->to(at::kFloat).contiguous();
    std::copy_n(values.data_ptr<float>(), channels, result.begin());
  }
  return result;
}

// Throws where a weight does not fit an input; `name` begins the message.
inline void check_conv(const char *name, const at::Tensor &x,
                       const at::Tensor &weight, int64_t stride,
                       at::IntArrayRef padding) {
  TORCH_CHECK(x.dim() == 4 && weight.dim() == 4 && stride > 0 &&
                  padding.size() == 2 && weight.size(1) == x.size(1),
              name, ": a weight of shape ", weight.sizes(), " with ",
              padding.size(), " paddings and stride ", stride,
              " does not fit an input of ", x.sizes());
  for (int64_t i = 0; i < 2; i++) {
    TORCH_CHECK(
        padding[i] >= 0 && x.size(2 + i) + 2 * padding[i] >= weight.size(2 + i),
        name, ": an input of ", x.sizes(), " is smaller than a kernel of ",
        weight.sizes());
  }
}

// The same, and where the gradient of the output does not fit both.
inline void check_conv_gradient(const char *name, const at::Tensor &x,
                                const at::Tensor &grad,
                                const at::Tensor &weight, int64_t stride,
                                at::IntArrayRef padding) {
  check_conv(name, x, weight, stride, padding);
  bool fits = grad.dim() == 4 && grad.size(0) == x.size(0) &&
              grad.size(1) == weight.size(0);
  for (int64_t i = 0; fits && i < 2; i++) {
    fits = grad.size(2 + i) ==
           (x.size(2 + i) + 2 * padding[i] - weight.size(2 + i)) / stride + 1;
  }
  TORCH_CHECK(fits, name, ": a gradient of ", grad.sizes(),
              " does not fit an input of ", x.sizes(), " and a weight of ",
              weight.sizes());
}

// Whether tiles can read it.
inline bool is_half(const at::Tensor &t) {
  return t.device().is_cpu() && t.scalar_type() == at::kBFloat16 &&
         t.dim() == 4 && t.numel() > 0;
}

// Whether tiles can form gradients with such a kernel.
inline bool is_square(const at::Tensor &weight, at::IntArrayRef padding) {
  return weight.size(2) == weight.size(3) && padding[0] == padding[1];
}

}  // namespace spikedhs
