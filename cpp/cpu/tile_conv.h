// Convolutions as products of tiles (tiles.h).
//
// Sixteen neighbouring positions of the output are the rows of a tile on the
// left, which is read from the input where it lies: for a row of taps their
// channels follow each other in memory, and so do the positions, if rows of the
// input are separated by the zeros that both neighbours' padding needs.
// Positions between the rows are computed with the others and thrown away,
// unless there are fewer of them if every row begins a tile. On the right are
// the weights, packed before. Work is cut so that a part of the weights and of
// an image stay in the second-level cache while all their products are formed
// (oneDNN 2.6, which libtorch 1.13 has, reads all weights again for every
// image), and their order so that products that follow each other read mostly
// the same memory.
#pragma once

#include <cstdint>
#include <vector>

#include "conv_tensors.h"
#include "tiles.h"

namespace spikedhs {

struct TileConv : Images {
  using Images::Images;
  // Tap (a, b) of output (y, x) reads input (stride*y + a + top,
  // stride*x + b + left); outside it there are zeros.
  int64_t kernel_height = 0, kernel_width = 0, stride = 0, top = 0, left = 0;
  int64_t out = 0, out_height = 0, out_width = 0;
  // Elements from an image of the output to the next, a row, a column.
  int64_t image_step = 0, row_step = 0, column_step = 0;

  // Whether the sums over the channels of a row's taps are separate products,
  // channel by channel in turn.
  bool split() const;
  int64_t runs() const;      // of taps with one sum, in a row of taps
  int64_t run_taps() const;  // taps of a run
  int64_t run_products() const;
  int64_t products() const;
  // Number of product p of a run in the row of taps a.
  int64_t product(int64_t a, int64_t run, int64_t p) const;
  int64_t column_tiles() const;
  int64_t blocks() const;  // of column tiles
  int64_t block_tiles(int64_t block) const;
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
