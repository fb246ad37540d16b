// The loops of winograd.h; CMake compiles this file once for each instruction
// set, with SPIKEDHS_ISA as its name.
#include "winograd_kernels.h"

#include "lanes.h"

namespace spikedhs {
namespace SPIKEDHS_ISA {
namespace {

// ---- Along one line. Rows of the matrices in winograd.h.

// A row of B^T, of d(0) to d(5): a point of an input. Rows share sums, which
// the compiler finds.
template <int64_t kRow, typename Numbers>
SPIKEDHS_LOCAL auto input_point(const Numbers &d) {
  if constexpr (kRow == 0) return d(0) - d(4);
  if constexpr (kRow == 1) return (d(2) + d(4)) + (d(1) + d(3));
  if constexpr (kRow == 2) return (d(2) + d(4)) - (d(1) + d(3));
  if constexpr (kRow == 3) return (d(4) - d(2)) - (d(1) - d(3));
  if constexpr (kRow == 4) return (d(4) - d(2)) + (d(1) - d(3));
  if constexpr (kRow == 5) return d(1) - d(3);
  if constexpr (kRow == 6) return d(5) - d(1);
}

// B^T: six numbers of an input to seven points.
template <typename L>
SPIKEDHS_LOCAL void input_line(const L *from, L *to) {
  const auto d = [from](int64_t i) __attribute__((always_inline)) {
    return from[i];
  };
  to[0] = input_point<0>(d);
  to[1] = input_point<1>(d);
  to[2] = input_point<2>(d);
  to[3] = input_point<3>(d);
  to[4] = input_point<4>(d);
  to[5] = input_point<5>(d);
  to[6] = input_point<6>(d);
}

// A: four numbers of an output's gradient to seven points.
template <typename L>
SPIKEDHS_LOCAL void gradient_line(const L *h, L *to) {
  const L even = h[0] + h[2], odd = h[1] + h[3];
  const L real = h[0] - h[2], imaginary = h[1] - h[3];
  to[0] = h[0];
  to[1] = even + odd;
  to[2] = even - odd;
  to[3] = real;
  to[4] = imaginary;
  to[5] = real + imaginary;
  to[6] = h[3];
}

// A^T: seven points to four numbers of the output.
template <typename L>
SPIKEDHS_LOCAL void output_line(const L *m, L *to) {
  const L even = m[1] + m[2], odd = m[1] - m[2];
  const L real = m[3] + m[5], imaginary = m[4] + m[5];
  to[0] = m[0] + even + real;
  to[1] = odd + imaginary;
  to[2] = even - real;
  to[3] = odd - imaginary + m[6];
}

// G: three taps to seven points.
SPIKEDHS_LOCAL void weight_line(const Lanes *g, Lanes *to) {
  const Lanes quarter = all(0.25f), half = all(0.5f);
  const Lanes ends = quarter * (g[0] + g[2]), real = half * (g[0] - g[2]);
  const Lanes middle = quarter * g[1], imaginary = half * g[1];
  to[0] = g[0];
  to[1] = ends + middle;
  to[2] = ends - middle;
  to[3] = real;
  to[4] = Lanes{} - imaginary;
  to[5] = real + imaginary;
  to[6] = g[2];
}

// G^T: seven points to three taps.
SPIKEDHS_LOCAL void tap_line(const Lanes *p, Lanes *to) {
  const Lanes quarter = all(0.25f), half = all(0.5f);
  const Lanes ends = quarter * (p[1] + p[2]), real = half * (p[3] + p[5]);
  to[0] = p[0] + ends + real;
  to[1] = quarter * (p[1] - p[2]) + half * (p[5] - p[4]);
  to[2] = ends - real + p[6];
}

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
template <int64_t kSide, typename Scalar, typename Line>
SPIKEDHS_LOCAL void transform(const Patch<const Scalar> &patch, float *to,
                              int64_t step, Line line) {
  const Scalar *pixels[kSide * kSide];
  locate<kSide>(patch, patch.zeros, pixels);
  each_channel(
      patch.channels, [&](auto zero, int64_t c) __attribute__((always_inline)) {
        decltype(zero) middle[kLinePoints][kSide];
        for (int64_t x = 0; x < kSide; x++) {
          decltype(zero) from[kSide], points[kLinePoints];
          for (int64_t y = 0; y < kSide; y++) {
            read(&from[y], pixels[y * kSide + x] + c);
          }
          line(from, points);
          for (int64_t y = 0; y < kLinePoints; y++) {
            middle[y][x] = points[y];
          }
        }
        for (int64_t y = 0; y < kLinePoints; y++) {
          decltype(zero) points[kLinePoints];
          line(middle[y], points);
          for (int64_t x = 0; x < kLinePoints; x++) {
            write(to + (y * kLinePoints + x) * step + c, points[x]);
          }
        }
      });
}

template <typename Scalar>
void input(const Patch<const Scalar> &patch, float *to, int64_t step) {
  transform<kPatchSide>(patch, to, step, [](const auto *from, auto *points) {
    input_line(from, points);
  });
}

template <typename Scalar>
void gradient(const Patch<const Scalar> &tile, float *to, int64_t step) {
  transform<kTileSide>(tile, to, step, [](const auto *from, auto *points) {
    gradient_line(from, points);
  });
}

template <int64_t kRow, typename Scalar>
void input_row_at(const Patch<const Scalar> &patch, float *to, int64_t step) {
  const Scalar *pixels[kPatchSide * kPatchSide];
  locate<kPatchSide>(patch, patch.zeros, pixels);
  each_channel(
      patch.channels, [&](auto zero, int64_t c) __attribute__((always_inline)) {
        decltype(zero) from[kPatchSide], points[kLinePoints];
        for (int64_t x = 0; x < kPatchSide; x++) {
          // Only the pixels that this row of B^T needs are read.
          from[x] =
              input_point<kRow>([&](int64_t y) __attribute__((always_inline)) {
                decltype(zero) d;
                read(&d, pixels[y * kPatchSide + x] + c);
                return d;
              });
        }
        input_line(from, points);
        for (int64_t x = 0; x < kLinePoints; x++) {
          write(to + x * step + c, points[x]);
        }
      });
}

template <typename Scalar>
void input_row(const Patch<const Scalar> &patch, int64_t row, float *to,
               int64_t step) {
  constexpr decltype(&input_row_at<0, Scalar>) rows[kLinePoints] = {
      input_row_at<0, Scalar>, input_row_at<1, Scalar>, input_row_at<2, Scalar>,
      input_row_at<3, Scalar>, input_row_at<4, Scalar>, input_row_at<5, Scalar>,
      input_row_at<6, Scalar>};
  rows[row](patch, to, step);
}

void shorten(const float *from, int64_t step, int64_t channels, float *to,
             int64_t to_step) {
  each_channel(
      channels, [&](auto zero, int64_t c) __attribute__((always_inline)) {
        decltype(zero) points[kLinePoints], line[kTileSide];
        for (int64_t x = 0; x < kLinePoints; x++) {
          read(&points[x], from + x * step + c);
        }
        output_line(points, line);
        for (int64_t x = 0; x < kTileSide; x++) {
          write(to + x * to_step + c, line[x]);
        }
      });
}

template <typename Scalar>
void output(const float *from, int64_t step, const float *bias,
            const Patch<Scalar> &tile) {
  Scalar *pixels[kTileSide * kTileSide];
  locate<kTileSide>(tile, static_cast<Scalar *>(nullptr), pixels);
  each_channel(
      tile.channels, [&](auto offset,
                         int64_t c) __attribute__((always_inline)) {
        read(&offset, bias + c);
        for (int64_t x = 0; x < kTileSide; x++) {
          decltype(offset) points[kLinePoints], line[kTileSide];
          for (int64_t y = 0; y < kLinePoints; y++) {
            read(&points[y], from + (y * kTileSide + x) * step + c);
          }
          output_line(points, line);
          for (int64_t y = 0; y < kTileSide; y++) {
            Scalar *pixel = pixels[y * kTileSide + x];
            if (pixel != nullptr) {
              write(pixel + c, line[y] + offset);
            }
          }
        }
      });
}

// ---- Weights, side by side

void weights(const float *taps, float *to, int64_t step) {
  for (int64_t i = 0; i < kPanel; i += kLanes) {
    Lanes middle[kLinePoints][3];
    for (int64_t x = 0; x < 3; x++) {
      Lanes g[3], points[kLinePoints];
      for (int64_t y = 0; y < 3; y++) {
        read(&g[y], taps + (y * 3 + x) * kPanel + i);
      }
      weight_line(g, points);
      for (int64_t y = 0; y < kLinePoints; y++) middle[y][x] = points[y];
    }
    for (int64_t y = 0; y < kLinePoints; y++) {
      Lanes points[kLinePoints];
      weight_line(middle[y], points);
      for (int64_t x = 0; x < kLinePoints; x++) {
        write(to + (y * kLinePoints + x) * step + i, points[x]);
      }
    }
  }
}

void taps(const float *from, int64_t step, float *taps) {
  for (int64_t i = 0; i < kPanel; i += kLanes) {
    Lanes middle[3][kLinePoints];
    for (int64_t x = 0; x < kLinePoints; x++) {
      Lanes points[kLinePoints], line[3];
      for (int64_t y = 0; y < kLinePoints; y++) {
        read(&points[y], from + (y * kLinePoints + x) * step + i);
      }
      tap_line(points, line);
      for (int64_t y = 0; y < 3; y++) middle[y][x] = line[y];
    }
    for (int64_t y = 0; y < 3; y++) {
      Lanes line[3];
      tap_line(middle[y], line);
      for (int64_t x = 0; x < 3; x++) {
        write(taps + (y * 3 + x) * kPanel + i, line[x]);
      }
    }
  }
}

// ---- Products

constexpr int64_t kVectors = kPanel / kLanes;  // of a panel

// Rows of a block of kP panels: its sums fill the registers beside a row of the
// right and one number of the left. As many panels as rows would read least,
// but rows have addresses to keep, too.
#if defined(__AVX512F__)
constexpr int64_t kMostPanels = 3;
template <int64_t kP>
constexpr int64_t kRows = kP == 1 ? 12 : 24 / kP;
#elif defined(__AVX2__)
constexpr int64_t kMostPanels = 1;
template <int64_t kP>
constexpr int64_t kRows = 6;
#else
constexpr int64_t kMostPanels = 1;
template <int64_t kP>
constexpr int64_t kRows = 3;
#endif

// The left's steps as numbers that the compiler knows, where they are 1.
template <int64_t kR, int64_t kP, bool kRowsAdjacent>
SPIKEDHS_LOCAL void multiply_block(const PanelProduct &p, const float *left,
                                   const float *right, float *to) {
  const int64_t row = kRowsAdjacent ? 1 : p.left_row;
  const int64_t step = kRowsAdjacent ? p.left_step : 1;
  constexpr int64_t n = kP * kVectors;
  const auto place = [&](int64_t r, int64_t j) __attribute__((always_inline)) {
    return to + r * p.to_row + j / kVectors * p.to_panel +
           j % kVectors * kLanes;
  };
  if (!p.fresh) {
    for (int64_t r = 0; r < kR; r++) {
      for (int64_t j = 0; j < n; j++) __builtin_prefetch(place(r, j), 1);
    }
  }
  Lanes sums[kR][n];
  for (int64_t r = 0; r < kR; r++) {
    for (int64_t j = 0; j < n; j++) sums[r][j] = Lanes{};
  }
  for (int64_t k = 0; k < p.depth; k++) {
    Lanes b[n];
    for (int64_t j = 0; j < n; j++) {
      read(&b[j], right + j / kVectors * p.right_panel + j % kVectors * kLanes);
    }
    for (int64_t r = 0; r < kR; r++) {
      const Lanes a = all(left[r * row]);
      for (int64_t j = 0; j < n; j++) {
        sums[r][j] = multiply_add(a, b[j], sums[r][j]);
      }
    }
    left += step;
    right += p.right_step;
  }
  for (int64_t r = 0; r < kR; r++) {
    for (int64_t j = 0; j < n; j++) {
      if (!p.fresh) {
        Lanes before;
        read(&before, place(r, j));
        sums[r][j] = before + sums[r][j];
      }
      write(place(r, j), sums[r][j]);
    }
  }
}

// Rows [first, rows), fewer than a block has.
template <int64_t kR, int64_t kP, bool kRowsAdjacent>
SPIKEDHS_LOCAL void multiply_rest(const PanelProduct &p, int64_t rows,
                                  const float *left, const float *right,
                                  float *to) {
  if constexpr (kR > 0) {
    if (rows == kR) {
      multiply_block<kR, kP, kRowsAdjacent>(p, left, right, to);
    } else {
      multiply_rest<kR - 1, kP, kRowsAdjacent>(p, rows, left, right, to);
    }
  }
}

template <int64_t kP, bool kRowsAdjacent>
SPIKEDHS_LOCAL void multiply_panels(const PanelProduct &p, int64_t panel) {
  const int64_t row = kRowsAdjacent ? 1 : p.left_row;
  const float *right = p.right + panel * p.right_panel;
  float *to = p.to + panel * p.to_panel;
  int64_t r = 0;
  for (; r + kRows<kP> <= p.rows; r += kRows<kP>) {
    multiply_block<kRows<kP>, kP, kRowsAdjacent>(p, p.left + r * row, right,
                                                 to + r * p.to_row);
  }
  multiply_rest<kRows<kP> - 1, kP, kRowsAdjacent>(
      p, p.rows - r, p.left + r * row, right, to + r * p.to_row);
}

template <bool kRowsAdjacent>
void multiply_all(const PanelProduct &p) {
  int64_t panel = 0;
  if constexpr (kMostPanels == 3) {
    // Four are two and two: one alone is the slowest.
    for (int64_t left; (left = p.panels - panel) >= 2;) {
      if (left == 2 || left == 4) {
        multiply_panels<2, kRowsAdjacent>(p, panel);
        panel += 2;
      } else {
        multiply_panels<3, kRowsAdjacent>(p, panel);
        panel += 3;
      }
    }
  }
  for (; panel < p.panels; panel++) multiply_panels<1, kRowsAdjacent>(p, panel);
}

void multiply(const PanelProduct &p) {
  if (p.left_step == 1) {
    multiply_all<false>(p);
  } else {
    multiply_all<true>(p);
  }
}

}  // namespace

const WinogradKernels *winograd() {
  static const WinogradKernels kernels = {
      {input_row<float>, input<float>, gradient<float>, output<float>},
      {input_row<Bf16>, input<Bf16>, gradient<Bf16>, output<Bf16>},
      shorten,
      weights,
      taps,
      multiply};
  return &kernels;
}

}  // namespace SPIKEDHS_ISA
}  // namespace spikedhs
