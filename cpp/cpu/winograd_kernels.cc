// The loops of winograd.h; CMake compiles this file once for each instruction
// set, with SPIKEDHS_ISA as its name.
#include "winograd_kernels.h"

#include <utility>

#include "lanes.h"
#include "winograd_lines.h"

namespace spikedhs {
namespace SPIKEDHS_ISA {

void panel_product(const PanelProduct &product);  // panel_kernels.cc

namespace {

// ---- Over a patch

// The addresses of a patch's pixels, `outside` where there are none.
template <int64_t kSide, typename Scalar>
SPIKEDHS_LOCAL void locate(const Patch<Scalar> &p, Scalar *outside,
                           Scalar **pixels) {
  for (int64_t i = 0; i < kSide; i++) {
    for (int64_t j = 0; j < kSide; j++) {
      const int64_t y = p.top + i, x = p.left + j;
      const bool inside = y >= 0 && y < p.height && x >= 0 && x < p.width;
      pixels[i * kSide + j] =
          inside ? p.image + (y * p.width + x) * p.channels : outside;
    }
  }
}

// body(Lanes or Lane, channel) for all channels.
template <typename Body>
SPIKEDHS_LOCAL void each_channel(int64_t channels, Body body) {
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) body(Lanes{}, c);
  for (; c < channels; c++) body(Lane{}, c);
}

// A patch of kSide x kSide pixels, first along columns and then along rows.
template <typename A, int64_t kSide, typename Line>
SPIKEDHS_LOCAL void transform(const Patch<const float> &patch, float *to,
                              int64_t step, Line line) {
  const float *pixels[kSide * kSide];
  locate<kSide>(patch, patch.zeros, pixels);
  each_channel(
      patch.channels, [&](auto zero, int64_t c) __attribute__((always_inline)) {
        decltype(zero) middle[A::kSizes.line][kSide];
        for (int64_t x = 0; x < kSide; x++) {
          decltype(zero) from[kSide], points[A::kSizes.line];
          for (int64_t y = 0; y < kSide; y++) {
            read(&from[y], pixels[y * kSide + x] + c);
          }
          line(from, points);
          for (int64_t y = 0; y < A::kSizes.line; y++) {
            middle[y][x] = points[y];
          }
        }
        for (int64_t y = 0; y < A::kSizes.line; y++) {
          decltype(zero) points[A::kSizes.line];
          line(middle[y], points);
          for (int64_t x = 0; x < A::kSizes.line; x++) {
            write(to + (y * A::kSizes.line + x) * step + c, points[x]);
          }
        }
      });
}

template <typename A>
void input(const Patch<const float> &patch, float *to, int64_t step) {
  transform<A, A::kSizes.patch>(
      patch, to, step,
      [](const auto *from, auto *points) { input_line<A>(from, points); });
}

template <typename A>
void gradient(const Patch<const float> &tile, float *to, int64_t step) {
  transform<A, A::kSizes.tile>(
      tile, to, step,
      [](const auto *from, auto *points) { A::gradient_line(from, points); });
}

template <typename A, int64_t kRow>
void input_row_at(const Patch<const float> &patch, float *to, int64_t step) {
  const float *pixels[A::kSizes.patch * A::kSizes.patch];
  locate<A::kSizes.patch>(patch, patch.zeros, pixels);
  each_channel(
      patch.channels, [&](auto zero, int64_t c) __attribute__((always_inline)) {
        decltype(zero) from[A::kSizes.patch], points[A::kSizes.line];
        for (int64_t x = 0; x < A::kSizes.patch; x++) {
          // Only the pixels that this row of B^T needs are read.
          from[x] = A::template input_point<kRow>([&](
              int64_t y) __attribute__((always_inline)) {
            decltype(zero) d;
            read(&d, pixels[y * A::kSizes.patch + x] + c);
            return d;
          });
        }
        input_line<A>(from, points);
        for (int64_t x = 0; x < A::kSizes.line; x++) {
          write(to + x * step + c, points[x]);
        }
      });
}

template <typename A, int64_t... kRow>
SPIKEDHS_LOCAL void input_row_of(const Patch<const float> &patch, int64_t row,
                                 float *to, int64_t step,
                                 std::integer_sequence<int64_t, kRow...>) {
  constexpr decltype(&input_row_at<A, 0>) rows[] = {input_row_at<A, kRow>...};
  rows[row](patch, to, step);
}

template <typename A>
void input_row(const Patch<const float> &patch, int64_t row, float *to,
               int64_t step) {
  input_row_of<A>(patch, row, to, step,
                  std::make_integer_sequence<int64_t, A::kSizes.line>());
}

template <typename A>
void shorten(const float *from, int64_t step, int64_t channels, float *to,
             int64_t to_step) {
  each_channel(
      channels, [&](auto zero, int64_t c) __attribute__((always_inline)) {
        decltype(zero) points[A::kSizes.line], line[A::kSizes.tile];
        for (int64_t x = 0; x < A::kSizes.line; x++) {
          read(&points[x], from + x * step + c);
        }
        A::output_line(points, line);
        for (int64_t x = 0; x < A::kSizes.tile; x++) {
          write(to + x * to_step + c, line[x]);
        }
      });
}

template <typename A>
void output(const float *from, int64_t step, const float *bias,
            const Patch<float> &tile) {
  float *pixels[A::kSizes.tile * A::kSizes.tile];
  locate<A::kSizes.tile>(tile, static_cast<float *>(nullptr), pixels);
  each_channel(
      tile.channels, [&](auto offset,
                         int64_t c) __attribute__((always_inline)) {
        read(&offset, bias + c);
        for (int64_t x = 0; x < A::kSizes.tile; x++) {
          decltype(offset) points[A::kSizes.line], line[A::kSizes.tile];
          for (int64_t y = 0; y < A::kSizes.line; y++) {
            read(&points[y], from + (y * A::kSizes.tile + x) * step + c);
          }
          A::output_line(points, line);
          for (int64_t y = 0; y < A::kSizes.tile; y++) {
            float *pixel = pixels[y * A::kSizes.tile + x];
            if (pixel != nullptr) {
              write(pixel + c, line[y] + offset);
            }
          }
        }
      });
}

// ---- Weights, side by side

template <typename A>
void weights(const float *taps, float *to, int64_t step) {
  for (int64_t i = 0; i < kPanel; i += kLanes) {
    Lanes middle[A::kSizes.line][3];
    for (int64_t x = 0; x < 3; x++) {
      Lanes g[3], points[A::kSizes.line];
      for (int64_t y = 0; y < 3; y++) {
        read(&g[y], taps + (y * 3 + x) * kPanel + i);
      }
      A::weight_line(g, points);
      for (int64_t y = 0; y < A::kSizes.line; y++) middle[y][x] = points[y];
    }
    for (int64_t y = 0; y < A::kSizes.line; y++) {
      Lanes points[A::kSizes.line];
      A::weight_line(middle[y], points);
      for (int64_t x = 0; x < A::kSizes.line; x++) {
        write(to + (y * A::kSizes.line + x) * step + i, points[x]);
      }
    }
  }
}

template <typename A>
void taps(const float *from, int64_t step, float *taps) {
  for (int64_t i = 0; i < kPanel; i += kLanes) {
    Lanes middle[3][A::kSizes.line];
    for (int64_t x = 0; x < A::kSizes.line; x++) {
      Lanes points[A::kSizes.line], line[3];
      for (int64_t y = 0; y < A::kSizes.line; y++) {
        read(&points[y], from + (y * A::kSizes.line + x) * step + i);
      }
      A::tap_line(points, line);
      for (int64_t y = 0; y < 3; y++) middle[y][x] = line[y];
    }
    for (int64_t y = 0; y < 3; y++) {
      Lanes line[3];
      A::tap_line(middle[y], line);
      for (int64_t x = 0; x < 3; x++) {
        write(taps + (y * 3 + x) * kPanel + i, line[x]);
      }
    }
  }
}

template <typename A>
constexpr WinogradKernels kernels() {
  WinogradKernels k{};
  k.sizes = A::kSizes;
  k.input_row = input_row<A>;
  k.shorten = shorten<A>;
  k.weights = weights<A>;
  if constexpr (A::kWeightGradient) {
    k.input = input<A>;
    k.gradient = gradient<A>;
    k.taps = taps<A>;
  }
  k.output = output<A>;
  k.multiply = panel_product;
  return k;
}

}  // namespace

const WinogradFamily *winograd() {
  static const WinogradFamily family = {kernels<Unit>(), kernels<Strided>(),
                                        kernels<StridedBack>()};
  return &family;
}

}  // namespace SPIKEDHS_ISA
}  // namespace spikedhs
