// Products of matrices, the right one in panels; compiled for several
// instruction sets, so no ATen type appears here.
#pragma once

#include <stdint.h>

namespace spikedhs {

// Columns of a panel, side by side in memory.
constexpr int64_t kPanel = 16;

// C[r][j] = or += the sum over k < depth of left[r][k] right[k][j], for j < 16
// * panels.
struct PanelProduct {
  int64_t rows, depth, panels;
  // In floats: rows of the left, its elements, panels and rows of the right,
  // panels and rows of the result. Either left step is 1.
  const float *left;
  int64_t left_row, left_step;
  const float *right;
  int64_t right_panel, right_step;
  float *to;
  int64_t to_panel, to_row;
  bool fresh;
};

}  // namespace spikedhs
