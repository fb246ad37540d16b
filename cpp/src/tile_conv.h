// Convolutions as products of tiles (tiles.h).
//
// Sixteen neighbouring positions of the output are the rows of a tile on the
// left, which is read from the input where it lies: for a row of taps their
// channels follow each other in memory, and so do the positions, if rows of the
// input are separated by the zeros that both neighbours' padding needs.
// Positions between the rows are computed with the others and thrown away. On
// the right are the weights, packed before. Work is cut so that a part of the
// weights and of an image stay in the second-level cache while all their
// products are formed: oneDNN 2.6, which libtorch 1.13 has, reads all weights
// again for every image.
#pragma once

#include <cstdint>
#include <vector>

#include "tiles.h"

namespace spikedhs {

struct TileConv {
  int64_t images, height, width, in;  // the input, dense with channels last
  // Tap (a, b) of output (y, x) reads input (stride*y + a + top,
  // stride*x + b + left); outside it there are zeros.
  int64_t kernel_height, kernel_width, stride, top, left;
  int64_t out, out_height, out_width;
  // Elements from an image of the output to the next, a row, a column.
  int64_t image_step, row_step, column_step;

  int64_t row_products() const;  // of a row of taps
  int64_t products() const;
  int64_t column_tiles() const;
  int64_t weights_size() const;  // elements, packed
};

// Packs weights [out, kernel_height, kernel_width, in].
void pack_weights(const Tiles &tiles, const TileConv &conv, const Bf16 *weights,
                  Bf16 *to);

// Packs weights [in, side, side, out], of the convolution whose input's
// gradient this one computes: tap (a, b) takes theirs (rows[a], columns[b]).
void pack_exchanged(const Tiles &tiles, const TileConv &conv,
                    const Bf16 *weights, int64_t side,
                    const std::vector<int64_t> &rows,
                    const std::vector<int64_t> &columns, Bf16 *to);

// bias holds `out` numbers.
void run_conv(const Tiles &tiles, const TileConv &conv, const Bf16 *x,
              const Bf16 *weights, const float *bias, Bf16 *y);

}  // namespace spikedhs
