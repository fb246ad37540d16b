// The loops of winograd.h; CMake compiles this file once for each instruction
// set, with SPIKEDHS_ISA as its name.
#include "winograd_kernels.h"

#include "lanes.h"

namespace spikedhs {
namespace SPIKEDHS_ISA {
namespace {

// ---- Along one line. Rows of the matrices in winograd.h.

// B^T: six numbers of an input to seven points.
template <typename L>
SPIKEDHS_LOCAL void input_line(const L *d, L *to) {
  const L even = d[2] + d[4], odd = d[1] + d[3];
  const L real = d[4] - d[2], imaginary = d[1] - d[3];
  to[0] = d[0] - d[4];
  to[1] = even + odd;
  to[2] = even - odd;
  to[3] = real - imaginary;
  to[4] = real + imaginary;
  to[5] = imaginary;
  to[6] = d[5] - d[1];
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
SPIKEDHS_LOCAL void weight_line(const float *g, float *to) {
  const float ends = 0.25f * (g[0] + g[2]), real = 0.5f * (g[0] - g[2]);
  to[0] = g[0];
  to[1] = ends + 0.25f * g[1];
  to[2] = ends - 0.25f * g[1];
  to[3] = real;
  to[4] = -0.5f * g[1];
  to[5] = real + 0.5f * g[1];
  to[6] = g[2];
}

// G^T: seven points to three taps.
SPIKEDHS_LOCAL void tap_line(const float *p, float *to) {
  const float ends = 0.25f * (p[1] + p[2]), real = 0.5f * (p[3] + p[5]);
  to[0] = p[0] + ends + real;
  to[1] = 0.25f * (p[1] - p[2]) + 0.5f * (p[5] - p[4]);
  to[2] = ends - real + p[6];
}

// ---- Over a patch

// A patch of kSide x kSide pixels of some channels, pixels[row * kSide +
// column] their addresses or null, first along columns and then along rows.
template <typename L, int64_t kSide, typename Scalar, typename Line>
SPIKEDHS_LOCAL void transform(const Scalar *const *pixels, int64_t channel,
                              float *to, int64_t step, Line line) {
  L middle[kLinePoints][kSide];
  for (int64_t x = 0; x < kSide; x++) {
    L from[kSide], points[kLinePoints];
    for (int64_t y = 0; y < kSide; y++) {
      const Scalar *pixel = pixels[y * kSide + x];
      if (pixel == nullptr) {
        from[y] = L{};
      } else {
        read(&from[y], pixel + channel);
      }
    }
    line(from, points);
    for (int64_t y = 0; y < kLinePoints; y++) middle[y][x] = points[y];
  }
  for (int64_t y = 0; y < kLinePoints; y++) {
    L points[kLinePoints];
    line(middle[y], points);
    for (int64_t x = 0; x < kLinePoints; x++) {
      write(to + (y * kLinePoints + x) * step + channel, points[x]);
    }
  }
}

// The addresses of a patch's pixels, null where they are outside.
template <int64_t kSide, typename Scalar>
SPIKEDHS_LOCAL void locate(const Patch<Scalar> &p, Scalar **pixels) {
  for (int64_t i = 0; i < kSide; i++) {
    for (int64_t j = 0; j < kSide; j++) {
      const int64_t y = p.top + i, x = p.left + j;
      const bool inside = y >= 0 && y < p.height && x >= 0 && x < p.width;
      pixels[i * kSide + j] =
          inside ? p.image + (y * p.width + x) * p.channels : nullptr;
    }
  }
}

template <int64_t kSide, typename Scalar, typename WideLine, typename Line>
SPIKEDHS_LOCAL void transform_patch(const Patch<const Scalar> &patch, float *to,
                                    int64_t step, WideLine wide, Line line) {
  const Scalar *pixels[kSide * kSide];
  locate<kSide>(patch, pixels);
  int64_t c = 0;
  for (; c + kLanes <= patch.channels; c += kLanes) {
    transform<Lanes, kSide>(pixels, c, to, step, wide);
  }
  for (; c < patch.channels; c++) {
    transform<Lane, kSide>(pixels, c, to, step, line);
  }
}

template <typename Scalar>
void input(const Patch<const Scalar> &patch, float *to, int64_t step) {
  transform_patch<kPatchSide>(patch, to, step, input_line<Lanes>,
                              input_line<Lane>);
}

template <typename Scalar>
void gradient(const Patch<const Scalar> &tile, float *to, int64_t step) {
  transform_patch<kTileSide>(tile, to, step, gradient_line<Lanes>,
                             gradient_line<Lane>);
}

template <typename L, typename Scalar>
SPIKEDHS_LOCAL void output_channels(const float *from, int64_t step,
                                    const float *bias, int64_t channel,
                                    Scalar *const *pixels) {
  L middle[kTileSide][kLinePoints];
  for (int64_t x = 0; x < kLinePoints; x++) {
    L points[kLinePoints], line[kTileSide];
    for (int64_t y = 0; y < kLinePoints; y++) {
      read(&points[y], from + (y * kLinePoints + x) * step + channel);
    }
    output_line(points, line);
    for (int64_t y = 0; y < kTileSide; y++) middle[y][x] = line[y];
  }
  L offset;
  read(&offset, bias + channel);
  for (int64_t y = 0; y < kTileSide; y++) {
    L line[kTileSide];
    output_line(middle[y], line);
    for (int64_t x = 0; x < kTileSide; x++) {
      Scalar *pixel = pixels[y * kTileSide + x];
      if (pixel != nullptr) write(pixel + channel, line[x] + offset);
    }
  }
}

template <typename Scalar>
void output(const float *from, int64_t step, const float *bias,
            const Patch<Scalar> &tile) {
  Scalar *pixels[kTileSide * kTileSide];
  locate<kTileSide>(tile, pixels);
  int64_t c = 0;
  for (; c + kLanes <= tile.channels; c += kLanes) {
    output_channels<Lanes>(from, step, bias, c, pixels);
  }
  for (; c < tile.channels; c++) {
    output_channels<Lane>(from, step, bias, c, pixels);
  }
}

// ---- Weights, one kernel at a time side by side

void weights(const float *taps, float *to, int64_t step) {
  float middle[kLinePoints][3][kPanel];
  for (int64_t i = 0; i < kPanel; i++) {
    for (int64_t x = 0; x < 3; x++) {
      const float g[3] = {taps[x * kPanel + i], taps[(3 + x) * kPanel + i],
                          taps[(6 + x) * kPanel + i]};
      float points[kLinePoints];
      weight_line(g, points);
      for (int64_t y = 0; y < kLinePoints; y++) middle[y][x][i] = points[y];
    }
  }
  for (int64_t y = 0; y < kLinePoints; y++) {
    float *row = to + y * kLinePoints * step;
    for (int64_t i = 0; i < kPanel; i++) {
      const float g[3] = {middle[y][0][i], middle[y][1][i], middle[y][2][i]};
      float points[kLinePoints];
      weight_line(g, points);
      for (int64_t x = 0; x < kLinePoints; x++) row[x * step + i] = points[x];
    }
  }
}

void taps(const float *from, int64_t step, float *taps) {
  float middle[3][kLinePoints][kPanel];
  for (int64_t x = 0; x < kLinePoints; x++) {
    for (int64_t i = 0; i < kPanel; i++) {
      float points[kLinePoints], line[3];
      for (int64_t y = 0; y < kLinePoints; y++) {
        points[y] = from[(y * kLinePoints + x) * step + i];
      }
      tap_line(points, line);
      for (int64_t y = 0; y < 3; y++) middle[y][x][i] = line[y];
    }
  }
  for (int64_t y = 0; y < 3; y++) {
    for (int64_t i = 0; i < kPanel; i++) {
      float points[kLinePoints], line[3];
      for (int64_t x = 0; x < kLinePoints; x++) points[x] = middle[y][x][i];
      tap_line(points, line);
      for (int64_t x = 0; x < 3; x++) taps[(y * 3 + x) * kPanel + i] = line[x];
    }
  }
}

// ---- Products

constexpr int64_t kVectors = kPanel / kLanes;  // of a panel

// Sums that fill the registers beside a row of the right and one number of the
// left.
#if defined(__AVX512F__)
constexpr int64_t kRows = 12, kPanels = 2;
#elif defined(__AVX2__)
constexpr int64_t kRows = 6, kPanels = 1;
#else
constexpr int64_t kRows = 3, kPanels = 1;
#endif

// The left's steps as numbers that the compiler knows, where they are 1.
template <int64_t kR, int64_t kP, bool kRowsAdjacent>
SPIKEDHS_LOCAL void multiply_block(const PanelProduct &p, const float *left,
                                   const float *right, float *to) {
  const int64_t row = kRowsAdjacent ? 1 : p.left_row;
  const int64_t step = kRowsAdjacent ? p.left_step : 1;
  constexpr int64_t n = kP * kVectors;
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
      float *at = to + r * p.to_row + j / kVectors * p.to_panel +
                  j % kVectors * kLanes;
      if (!p.fresh) {
        Lanes before;
        read(&before, at);
        sums[r][j] = before + sums[r][j];
      }
      write(at, sums[r][j]);
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
  for (; r + kRows <= p.rows; r += kRows) {
    multiply_block<kRows, kP, kRowsAdjacent>(p, p.left + r * row, right,
                                             to + r * p.to_row);
  }
  multiply_rest<kRows - 1, kP, kRowsAdjacent>(p, p.rows - r, p.left + r * row,
                                              right, to + r * p.to_row);
}

template <bool kRowsAdjacent>
void multiply_all(const PanelProduct &p) {
  int64_t panel = 0;
  for (; panel + kPanels <= p.panels; panel += kPanels) {
    multiply_panels<kPanels, kRowsAdjacent>(p, panel);
  }
  if constexpr (kPanels > 1) {
    for (; panel < p.panels; panel++) {
      multiply_panels<1, kRowsAdjacent>(p, panel);
    }
  }
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
      {input<float>, gradient<float>, output<float>},
      {input<Bf16>, gradient<Bf16>, output<Bf16>},
      weights,
      taps,
      multiply};
  return &kernels;
}

}  // namespace SPIKEDHS_ISA
}  // namespace spikedhs
