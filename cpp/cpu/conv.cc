// See conv.h.
//
// The gradient of an input is a convolution, too: with stride 1 of the gradient
// with the weights turned around, input and output channels exchanged. With
// stride s the input's rows and columns of each remainder by s take the taps
// that can reach them; every such set is a convolution with stride 1 that
// writes every s-th pixel.
#include "conv.h"

#include <ATen/ATen.h>
#include <torch/library.h>

#include <vector>

#include "conv_tensors.h"
#include "conv_winograd.h"
#include "divide.h"
#include "share.h"
#include "tile_conv.h"

namespace spikedhs {
namespace {

at::Tensor packed(const TileConv &conv) {
  return memory(conv.weights_size(), at::kBFloat16);
}

at::Tensor weight_tiles(const Tiles &tiles, const at::Tensor &weight) {
  const at::Tensor result = at::empty(
      weight.sizes(), weight.options()
                          .dtype(at::kBFloat16)
                          .memory_format(at::MemoryFormat::ChannelsLast));
  const int64_t channels = weight.size(1);
  const int64_t taps = weight.size(2) * weight.size(3), size = channels * taps;
  const float *from = weight.data_ptr<float>();
  share_each(weight.size(0), [&](int64_t out) {
    tiles.halve(from + out * size, taps, channels, halves(result) + out * size);
  });
  return result;
}

at::Tensor forward_tiles(const Tiles &tiles, const at::Tensor &x,
                         const at::Tensor &weight,
                         const optional<at::Tensor> &bias, int64_t stride,
                         at::IntArrayRef padding) {
  TileConv c(x);
  c.out = weight.size(0);
  c.kernel_height = weight.size(2);
  c.kernel_width = weight.size(3);
  c.stride = stride;
  c.top = -padding[0];
  c.left = -padding[1];
  c.out_height = (c.height + 2 * padding[0] - c.kernel_height) / stride + 1;
  c.out_width = (c.width + 2 * padding[1] - c.kernel_width) / stride + 1;
  c.column_step = c.out;
  c.row_step = c.out_width * c.out;
  c.image_step = c.out_height * c.row_step;
  const at::Tensor y =
      empty_last({c.images, c.out, c.out_height, c.out_width}, x);
  const std::vector<float> offsets = offsets_of(bias, c.out);
  const at::Tensor in = last(x), dense = last(weight), ready = packed(c);
  pack_weights(tiles, c, halves(dense), halves(ready));
  run_conv(tiles, c, halves(in), halves(ready), offsets.data(), halves(y));
  return y;
}

// The taps that reach the input's rows (or columns) j*stride + rest, and of
// which row of the gradient: that of j + first and, tap by tap, the next ones.
struct Reach {
  std::vector<int64_t> taps;
  int64_t first = 0;
  Reach(int64_t rest, int64_t kernel, int64_t stride, int64_t padding) {
    // Tap k reaches row y from output (y + padding - k) / stride.
    for (int64_t k = kernel - 1; k >= 0; k--) {
      const int64_t from = rest + padding - k;
      if (from - divide_down(from, stride) * stride != 0) continue;
      if (taps.empty()) first = from / stride;
      taps.push_back(k);
    }
  }
};

at::Tensor input_gradient_tiles(const Tiles &tiles, const at::Tensor &x,
                                const at::Tensor &grad,
                                const at::Tensor &weight, int64_t stride,
                                int64_t padding) {
  const at::Tensor result = empty_last(x.sizes(), x);
  const int64_t channels = x.size(1), height = x.size(2), width = x.size(3);
  const int64_t side = weight.size(2);
  const at::Tensor in = last(grad), dense = last(weight);
  const std::vector<float> zeros(channels, 0.0f);
  for (int64_t i = 0; i < stride; i++) {
    for (int64_t j = 0; j < stride; j++) {
      if (i >= height || j >= width) continue;
      const Reach rows(i, side, stride, padding);
      const Reach columns(j, side, stride, padding);
      if (rows.taps.empty() || columns.taps.empty()) {
        result.slice(2, i, height, stride).slice(3, j, width, stride).zero_();
        continue;
      }
      TileConv c(grad);
      c.kernel_height = static_cast<int64_t>(rows.taps.size());
      c.kernel_width = static_cast<int64_t>(columns.taps.size());
      c.stride = 1;
      c.top = rows.first;
      c.left = columns.first;
      c.out = channels;
      c.out_height = divide_up(height - i, stride);
      c.out_width = divide_up(width - j, stride);
      c.column_step = stride * channels;
      c.row_step = stride * width * channels;
      c.image_step = height * width * channels;
      const at::Tensor ready = packed(c);
      pack_exchanged(tiles, c, halves(dense), side, rows.taps, columns.taps,
                     halves(ready));
      run_conv(tiles, c, halves(in), halves(ready), zeros.data(),
               halves(result) + (i * width + j) * channels);
    }
  }
  return result;
}

// Whether tiles can do it.
bool fits(const at::Tensor &x, const at::Tensor &weight) {
  return is_half(x) && is_half(weight);
}

bool fits_grad(const at::Tensor &x, const at::Tensor &grad,
               const at::Tensor &weight, at::IntArrayRef padding) {
  return fits(x, weight) && is_half(grad) && is_square(weight, padding);
}

bool fits_weight(const at::Tensor &weight) {
  return weight.device().is_cpu() && weight.scalar_type() == at::kFloat &&
         weight.dim() == 4 && weight.numel() > 0 && weight.is_contiguous();
}

at::Tensor conv_weight_plain(const at::Tensor &weight) {
  TORCH_CHECK(fits_weight(weight), "conv_weight: not for this tensor");
  return weight_tiles(plain_tiles(), weight);
}

at::Tensor conv_weight_half(const at::Tensor &weight) {
  return conv_weight(weight, at::kBFloat16);
}

at::Tensor conv_forward_plain(const at::Tensor &x, const at::Tensor &weight,
                              const optional<at::Tensor> &bias, int64_t stride,
                              at::IntArrayRef padding) {
  check_conv("conv", x, weight, stride, padding);
  TORCH_CHECK(fits(x, weight), "conv: not for these tensors");
  return forward_tiles(plain_tiles(), x, weight, bias, stride, padding);
}

at::Tensor conv_input_gradient_plain(const at::Tensor &x,
                                     const at::Tensor &grad,
                                     const at::Tensor &weight, int64_t stride,
                                     at::IntArrayRef padding) {
  check_conv_gradient("conv", x, grad, weight, stride, padding);
  TORCH_CHECK(fits_grad(x, grad, weight, padding),
              "conv: not for these tensors");
  return input_gradient_tiles(plain_tiles(), x, grad, weight, stride,
                              padding[0]);
}

}  // namespace

at::Tensor conv_weight(const at::Tensor &weight, at::ScalarType type) {
  const Tiles *tiles = amx_tiles();
  if (tiles != nullptr && type == at::kBFloat16 && fits_weight(weight)) {
    return weight_tiles(*tiles, weight);
  }
  return last(weight.to(type));
}

at::Tensor conv_forward(const at::Tensor &x, const at::Tensor &weight,
                        const optional<at::Tensor> &bias, int64_t stride,
                        at::IntArrayRef padding) {
  check_conv("conv", x, weight, stride, padding);
  const Tiles *tiles = amx_tiles();
  if (tiles != nullptr && fits(x, weight)) {
    return forward_tiles(*tiles, x, weight, bias, stride, padding);
  }
  const auto *family = winograd_for(x, weight, stride, padding);
  if (family != nullptr) {
    return winograd_forward(*family, x, weight, bias, stride, padding);
  }
  return last(at::convolution(x, weight, bias, {stride, stride}, padding,
                              {1, 1}, false, {0, 0}, 1));
}

at::Tensor conv_input_gradient(const at::Tensor &x, const at::Tensor &grad,
                               const at::Tensor &weight, int64_t stride,
                               at::IntArrayRef padding) {
  check_conv_gradient("conv", x, grad, weight, stride, padding);
  const Tiles *tiles = amx_tiles();
  if (tiles != nullptr && fits_grad(x, grad, weight, padding)) {
    return input_gradient_tiles(*tiles, x, grad, weight, stride, padding[0]);
  }
  const auto *family = winograd_for(x, weight, stride, padding);
  if (family != nullptr && grad.scalar_type() == x.scalar_type()) {
    return winograd_input_gradient(*family, x, grad, weight, stride, padding);
  }
  return last(std::get<0>(at::convolution_backward(
      grad, x, weight, at::OptionalIntArrayRef(), {stride, stride}, padding,
      {1, 1}, false, {0, 0}, 1, {true, false, false})));
}

}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, m) {
  m.def(
      "conv_forward(Tensor x, Tensor weight, Tensor? bias, int stride, "
      "int[] padding) -> Tensor",
      &spikedhs::conv_forward);
  m.def(
      "conv_input_gradient(Tensor x, Tensor grad, Tensor weight, int stride, "
      "int[] padding) -> Tensor",
      &spikedhs::conv_input_gradient);
  m.def("conv_weight(Tensor weight) -> Tensor", &spikedhs::conv_weight_half);
  // For tests: the same on plain loops instead of the processor's tiles.
  m.def("conv_weight_plain(Tensor weight) -> Tensor",
        &spikedhs::conv_weight_plain);
  m.def(
      "conv_forward_plain(Tensor x, Tensor weight, Tensor? bias, int stride, "
      "int[] padding) -> Tensor",
      &spikedhs::conv_forward_plain);
  m.def(
      "conv_input_gradient_plain(Tensor x, Tensor grad, Tensor weight, "
      "int stride, int[] padding) -> Tensor",
      &spikedhs::conv_input_gradient_plain);
}
