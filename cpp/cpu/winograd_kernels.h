// The loops of winograd.h, compiled for several instruction sets; no ATen type
// appears here.
#pragma once

#include <stdint.h>

#include "panel_kernels.h"

namespace spikedhs {

// A tile has tile x tile outputs and reads patch x patch inputs, `advance` on
// from one tile to the next; both become points() numbers a channel, each of
// which costs as much as so many products.
struct WinogradSizes {
  int64_t patch, advance, tile, line, cost;
  constexpr int64_t points() const { return line * line; }
};

// Where a tile or a patch lies in an image [height, width, channels]. Pixels
// outside are left away when written, and read from `zeros`, as many as there
// are channels.
template <typename Scalar>  // float or const float
struct Patch {
  Scalar *image, *zeros;
  int64_t height, width, channels, top, left;
};

// A tile's numbers go channel by channel, `step` floats from one point to the
// next.
struct WinogradKernels {
  WinogradSizes sizes;
  // A line of points, that of vertical point `row`, of the patch of an input.
  void (*input_row)(const Patch<const float> &patch, int64_t row, float *to,
                    int64_t step);
  // All points; like `gradient` null where there is no gradient of weights.
  void (*input)(const Patch<const float> &patch, float *to, int64_t step);
  // The same of a tile of an output's gradient, to be multiplied with an
  // input's.
  void (*gradient)(const Patch<const float> &tile, float *to, int64_t step);
  // A tile of the output from what `shorten` made of all lines, plus a bias
  // each channel.
  void (*output)(const float *from, int64_t step, const float *bias,
                 const Patch<float> &tile);
  // A tile's columns from a line of points.
  void (*shorten)(const float *from, int64_t step, int64_t channels, float *to,
                  int64_t to_step);
  // to[point * step + i] of 16 kernels [tap][16], row by row, for i < 16.
  void (*weights)(const float *taps, float *to, int64_t step);
  // The gradients [tap][16] of 16 kernels from those of their points.
  void (*taps)(const float *from, int64_t step, float *taps);
  void (*multiply)(const PanelProduct &product);
};

struct WinogradFamily {
  WinogradKernels unit, strided, strided_back;  // see winograd.h
};

// The best kernels for this processor.
const WinogradFamily &winograd_kernels();

namespace generic {
const WinogradFamily *winograd();
}

}  // namespace spikedhs
