// The gradient of a convolution's weights as products of tiles; see
// weight_gradient.h.
//
// dw[o, c, kh, kw] is the sum over images n and outputs (y, x) of
//   grad[n, y, x, o] * in[n, s y + kh - p, s x + kw - p, c],
// a matrix product over positions. On the left are output channels by
// positions, on the right positions by a column for each input channel and tap.
// The right is written once for each horizontal tap and, with strides, for each
// remainder of the row; vertical taps are offsets into it.
//
// Images are cut into bands of rows. A thread takes some input channels (and
// some of the bands), of these so many at a time that the right stays in the
// second-level cache; the left is streamed through it, a few tiles of positions
// at a time from the first-level cache.
#include "weight_gradient.h"

#include <ATen/ATen.h>
#include <torch/library.h>

#include <vector>

#include "compat.h"
#include "conv_tensors.h"
#include "conv_winograd.h"
#include "isa.h"
#include "room.h"
#include "share.h"
#include "weight_gradient_plan.h"

namespace spikedhs {
namespace {

// x and grad dense, channels last.
class WeightGradient {
 public:
  WeightGradient(const Tiles &tiles, const ConvShape &shape,
                 const at::Tensor &x, const at::Tensor &grad)
      : tiles_(tiles),
        s_(shape),
        plan_(shape, at::get_num_threads()),
        x_(halves(x)),
        grad_(halves(grad)),
        left_(memory(plan_.left_size(), at::kBFloat16)),
        sums_(memory(plan_.band_parts * plan_.sums_size(), at::kFloat)) {}

  // Writes dw [out, in, kernel, kernel].
  void run(float *dw) {
    constexpr int64_t kSteps = 16;
    const int64_t steps = plan_.bands * plan_.steps;
    share_each(divide_up(steps, kSteps), [&](int64_t piece) {
      const int64_t last = std::min(steps, (piece + 1) * kSteps);
      for (int64_t i = piece * kSteps; i < last; i++) fill_left(i);
    });
    share(plan_.band_parts * plan_.in_parts, [&](Pieces &pieces) {
      tiles_.begin();
      // Zeros: a band's last tile of positions reads beyond it, where the left
      // is zero.
      const Room room(plan_.right_size());
      for (int64_t piece; pieces.take(piece);) {
        run_piece(piece % plan_.in_parts, piece / plan_.in_parts, room.begin());
      }
      tiles_.end();
    });
    share_each(plan_.groups * plan_.in_tiles, [&](int64_t i) {
      write(i / plan_.in_tiles, i % plan_.in_tiles, dw);
    });
  }

 private:
  // A tile of positions of a band, all output channels.
  void fill_left(int64_t step) {
    const int64_t band = step / plan_.steps;
    const int64_t image = band / plan_.image_bands;
    const int64_t top = band % plan_.image_bands * plan_.band_rows;
    const Bf16 *positions[kTilePositions];
    for (int64_t i = 0; i < kTilePositions; i++) {
      const int64_t at = step % plan_.steps * kTilePositions + i;
      const int64_t row = at / (2 * plan_.pairs), x = at % (2 * plan_.pairs);
      const int64_t y = top + row;
      const bool inside =
          row < plan_.band_rows && y < s_.out_height && x < s_.out_width;
      positions[i] =
          inside ? grad_ +
                       ((image * s_.out_height + y) * s_.out_width + x) * s_.out
                 : nullptr;
    }
    for (int64_t g = 0; g < plan_.groups; g++) {
      Bf16 *to = halves(left_) + plan_.left_at(g, step);
      for (int64_t i = 0; i < plan_.height(g); i++) {
        const int64_t channel = (plan_.first_tile(g) + i) * kTileChannels;
        tiles_.transpose(positions, channel,
                         std::min(kTileChannels, s_.out - channel),
                         to + i * kTile);
      }
    }
  }

  // Some input tiles and some bands.
  void run_piece(int64_t in_part, int64_t band_part, Bf16 *right) {
    const int64_t first = plan_.bands * band_part / plan_.band_parts;
    const int64_t last = plan_.bands * (band_part + 1) / plan_.band_parts;
    const int64_t in = in_part * plan_.in_chunk;
    const int64_t in_count = std::min(plan_.in_chunk, plan_.in_tiles - in);
    float *sums = sums_.data_ptr<float>() + band_part * plan_.sums_size();
    for (int64_t b = first; b < last; b += plan_.band_chunk) {
      const int64_t band_count = std::min(plan_.band_chunk, last - b);
      for (int64_t i = 0; i < band_count; i++) {
        fill_right(b + i, in, in_count, right + i * plan_.right_pairs * kPair);
      }
      multiply(right, b, band_count, in, in_count, b == first, sums);
    }
  }

  // A band of some input tiles, in all variants.
  void fill_right(int64_t band, int64_t in, int64_t in_count, Bf16 *right) {
    const int64_t image = band / plan_.image_bands;
    const int64_t top = band % plan_.image_bands * plan_.band_rows;
    const int64_t first = in * kTileChannels;
    const int64_t last = std::min(s_.in, (in + in_count) * kTileChannels);
    std::vector<const Bf16 *> positions(2 * plan_.pairs);
    for (int64_t row = 0; row < plan_.right_rows; row++) {
      for (int64_t rest = 0; rest < s_.stride; rest++) {
        const int64_t y = s_.stride * (top + row + plan_.first_row) + rest;
        const bool inside = y >= 0 && y < s_.height;
        for (int64_t kw = 0; kw < s_.kernel; kw++) {
          for (int64_t i = 0; i < 2 * plan_.pairs; i++) {
            const int64_t x = s_.stride * i + kw - s_.padding;
            positions[i] =
                inside && i < s_.out_width && x >= 0 && x < s_.width
                    ? x_ + ((image * s_.height + y) * s_.width + x) * s_.in
                    : nullptr;
          }
          tiles_.interleave(
              positions.data(), plan_.pairs, first, last, plan_.right_stride,
              right + variant(kw, rest) + row * plan_.pairs * kPair);
        }
      }
    }
  }

  int64_t variant(int64_t kw, int64_t rest) const {
    return (kw * s_.stride + rest) * plan_.in_chunk * plan_.right_stride;
  }

  // Adds the products of some bands and input tiles to the sums.
  void multiply(const Bf16 *right, int64_t band, int64_t band_count, int64_t in,
                int64_t in_count, bool fresh, float *sums) {
    // Vertical taps innermost: they read almost the same memory.
    std::vector<const Bf16 *> columns;
    for (int64_t i = 0; i < in_count; i++) {
      for (int64_t kw = 0; kw < s_.kernel; kw++) {
        for (int64_t kh = 0; kh < s_.kernel; kh++) {
          const int64_t row = divide_down(kh - s_.padding, s_.stride);
          const int64_t rest = kh - s_.padding - row * s_.stride;
          columns.push_back(right + variant(kw, rest) + i * plan_.right_stride +
                            (row - plan_.first_row) * plan_.pairs * kPair);
        }
      }
    }
    const int64_t steps = band_count * plan_.steps;
    for (int64_t g = 0; g < plan_.groups; g++) {
      for (int64_t step = 0; step < steps; step += kBlock) {
        const int64_t count = std::min(kBlock, steps - step);
        int64_t offsets[kBlock];
        for (int64_t i = 0; i < count; i++) {
          offsets[i] = (step + i) / plan_.steps * plan_.right_pairs * kPair +
                       (step + i) % plan_.steps * kTile;
        }
        tiles_.multiply(
            plan_.height(g),
            halves(left_) + plan_.left_at(g, band * plan_.steps + step),
            columns.data(), static_cast<int64_t>(columns.size()), offsets,
            count, fresh && step == 0, sums + plan_.sums_at(g, in));
      }
    }
  }

  // Adds up the parts' sums and writes the weights of a group and an input
  // tile.
  void write(int64_t g, int64_t in, float *dw) {
    const int64_t height = plan_.height(g), first = plan_.first_tile(g);
    const float *sums = sums_.data_ptr<float>() + plan_.sums_at(g, in);
    const float *from[kMostTaps];
    for (int64_t tap = 0; tap < plan_.taps; tap++) {
      const int64_t kw = tap / s_.kernel, kh = tap % s_.kernel;
      from[kh * s_.kernel + kw] = sums + tap * height * kTileSums;
    }
    const int64_t out = first * kTileChannels, channel = in * kTileChannels;
    tiles_.gather(from, plan_.taps, plan_.band_parts, plan_.sums_size(),
                  std::min(height * kTileChannels, s_.out - out),
                  std::min(kTileChannels, s_.in - channel),
                  dw + (out * s_.in + channel) * plan_.taps,
                  s_.in * plan_.taps);
  }

  const Tiles &tiles_;
  const ConvShape s_;
  const GradientPlan plan_;
  const Bf16 *x_, *grad_;
  at::Tensor left_, sums_;
};

// Whether tiles can do it.
bool fits(const at::Tensor &x, const at::Tensor &grad, const at::Tensor &weight,
          at::IntArrayRef padding) {
  return is_half(x) && is_half(grad) && is_square(weight, padding) &&
         weight.size(2) * weight.size(3) <= kMostTaps;
}

at::Tensor with_tiles(const Tiles &tiles, const at::Tensor &x,
                      const at::Tensor &grad, const at::Tensor &weight,
                      int64_t stride, at::IntArrayRef padding) {
  const at::Tensor in = last(x);
  const at::Tensor out = last(grad);
  const ConvShape shape{in.size(0), in.size(1),  out.size(1), in.size(2),
                        in.size(3), out.size(2), out.size(3), weight.size(2),
                        stride,     padding[0]};
  at::Tensor result =
      at::empty(weight.sizes(), at::TensorOptions().dtype(at::kFloat));
  WeightGradient(tiles, shape, in, out).run(result.data_ptr<float>());
  return result;
}

at::Tensor conv_weight_gradient_plain(const at::Tensor &x,
                                      const at::Tensor &grad,
                                      const at::Tensor &weight, int64_t stride,
                                      at::IntArrayRef padding) {
  check_conv_gradient("conv_weight_gradient", x, grad, weight, stride, padding);
  TORCH_CHECK(fits(x, grad, weight, padding),
              "conv_weight_gradient: not for these tensors");
  return with_tiles(plain_tiles(), x, grad, weight, stride, padding);
}

}  // namespace

at::Tensor conv_weight_gradient(const at::Tensor &x, const at::Tensor &grad,
                                const at::Tensor &weight, int64_t stride,
                                at::IntArrayRef padding) {
  check_conv_gradient("conv_weight_gradient", x, grad, weight, stride, padding);
  const bool ours = wanted(Kernels::gradients);
  const Tiles *tiles = amx_tiles();
  if (ours && tiles != nullptr && fits(x, grad, weight, padding)) {
    return with_tiles(*tiles, x, grad, weight, stride, padding);
  }
  const auto *family =
      ours ? winograd_for(x, weight, stride, padding) : nullptr;
  if (family != nullptr && grad.scalar_type() == x.scalar_type()) {
    return winograd_weight_gradient(*family, x, grad, stride, padding);
  }
  return std::get<1>(at::convolution_backward(
                         grad, x, weight, at::OptionalIntArrayRef(),
                         {stride, stride}, padding, {1, 1}, false, {0, 0}, 1,
                         {false, true, false}))
      .to(at::kFloat);
}

}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, m) {
  m.def(
      "conv_weight_gradient(Tensor x, Tensor grad, Tensor weight, int stride, "
      "int[] padding) -> Tensor",
      &spikedhs::conv_weight_gradient);
  // For tests: the same on plain loops instead of the processor's tiles.
  m.def(
      "conv_weight_gradient_plain(Tensor x, Tensor grad, Tensor weight, int "
      "stride, int[] padding) -> Tensor",
      &spikedhs::conv_weight_gradient_plain);
}
