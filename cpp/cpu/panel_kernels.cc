// The products of panel_kernels.h; CMake compiles this file once for each
// instruction set, with SPIKEDHS_ISA as its name.
#include "panel_kernels.h"

#include "lanes.h"

namespace spikedhs {
namespace SPIKEDHS_ISA {
namespace {

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

}  // namespace

void panel_product(const PanelProduct &p) {
  if (p.left_step == 1) {
    multiply_all<false>(p);
  } else {
    multiply_all<true>(p);
  }
}

}  // namespace SPIKEDHS_ISA
}  // namespace spikedhs
