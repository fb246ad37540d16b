// The loops of winograd.h, compiled for several instruction sets; no ATen type
// appears here.
#pragma once

#include <stdint.h>

#include "lif_step.h"

namespace spikedhs {

// A tile of the output has kTileSide x kTileSide pixels and reads kPatchSide x
// kPatchSide of the input; both become kPoints numbers a channel.
constexpr int64_t kTileSide = 4, kPatchSide = 6;
constexpr int64_t kLinePoints = 7, kPoints = kLinePoints * kLinePoints;

// Weights and their gradients lie in panels of so many channels side by side.
constexpr int64_t kPanel = 16;

// Where a tile or a patch lies in an image [height, width, channels]. Pixels
// outside are left away when written, and read from `zeros`, as many as there
// are channels.
template <typename Scalar>
struct Patch {
  Scalar *image, *zeros;
  int64_t height, width, channels, top, left;
};

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

// A tile's numbers go channel by channel, `step` floats from one point to the
// next.
template <typename Scalar>
struct WinogradTransforms {
  // A line of seven points, that of vertical point `row`, of the 6x6 patch of
  // an input.
  void (*input_row)(const Patch<const Scalar> &patch, int64_t row, float *to,
                    int64_t step);
  // All 49 points.
  void (*input)(const Patch<const Scalar> &patch, float *to, int64_t step);
  // The same of a 4x4 tile of an output's gradient, to be multiplied with an
  // input's.
  void (*gradient)(const Patch<const Scalar> &tile, float *to, int64_t step);
  // A 4x4 tile of the output from what `shorten` made of seven lines, plus a
  // bias each channel.
  void (*output)(const float *from, int64_t step, const float *bias,
                 const Patch<Scalar> &tile);
};

struct WinogradKernels {
  WinogradTransforms<float> floats;
  WinogradTransforms<Bf16> halves;
  // Four columns from a line of seven points.
  void (*shorten)(const float *from, int64_t step, int64_t channels, float *to,
                  int64_t to_step);
  // to[point * step + i] of 16 kernels [tap][16], row by row, for i < 16.
  void (*weights)(const float *taps, float *to, int64_t step);
  // The gradients [tap][16] of 16 kernels from those of their points.
  void (*taps)(const float *from, int64_t step, float *taps);
  void (*multiply)(const PanelProduct &product);
};

// The best kernels for this processor.
const WinogradKernels *winograd_kernels();

namespace generic {
const WinogradKernels *winograd();
}

}  // namespace spikedhs
