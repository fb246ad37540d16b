// What convolutions (tile_conv.cc) and the gradients of their weights
// (weight_gradient.cc) ask of a processor: packing of tiles and their products.
// No ATen type appears here, so that a file for a newer processor shares no
// inline function with the others.
#pragma once

#include <stdint.h>

#include "lif_step.h"

namespace spikedhs {

// A tile is 16 rows of 32 numbers on the left of a product, and on the right 16
// pairs of rows, column by column. In a gradient of weights rows are 16
// channels and the sum goes over 32 positions; in a convolution rows are 16
// positions and the sum goes over 32 channels.
constexpr int64_t kTileChannels = 16;
constexpr int64_t kTilePositions = 32;
constexpr int64_t kTile = kTileChannels * kTilePositions;     // elements
constexpr int64_t kTileSums = kTileChannels * kTileChannels;  // float32
constexpr int64_t kPair = 2 * kTileChannels;                  // elements
constexpr int64_t kMostTiles = 4;  // on the left at a time
constexpr int64_t kMostTaps = 49;  // of `gather`
constexpr int64_t kBlock = 8;      // tiles of positions at a time

struct Tiles {
  // Before and after a thread's products.
  void (*begin)();
  void (*end)();
  // Left tile of `channels` channels from `channel` on at 32 positions; those
  // that are none, and channels beyond, become zeros.
  void (*transpose)(const Bf16 *const *positions, int64_t channel,
                    int64_t channels, Bf16 *to);
  // Right rows of channels [channel, last) for `pairs` pairs of positions, 16
  // channels at `to`, the next 16 at `to` + stride, and so on.
  void (*interleave)(const Bf16 *const *positions, int64_t pairs,
                     int64_t channel, int64_t last, int64_t stride, Bf16 *to);
  // sums[column][i] += left[.][i] * right[column][.], or = where `fresh`:
  // `count` tiles of positions, those of a column at columns[column] +
  // offsets[.]; on the left `height` tiles of channels, side by side for each
  // position. What follows there is wanted next.
  void (*multiply)(int64_t height, const Bf16 *left, const Bf16 *const *columns,
                   int64_t column_count, const int64_t *offsets, int64_t count,
                   bool fresh, float *sums);
  // to[t * channels + c] = from[c * taps + t], rounded.
  void (*halve)(const float *from, int64_t taps, int64_t channels, Bf16 *to);
  // to[c * taps + t] = the sum over parts p of from[t][p * part + c] for c <
  // channels, at most 16, and the same for `rows` - 1 more rows: from the next
  // 16 numbers each to `to` + stride.
  void (*gather)(const float *const *from, int64_t taps, int64_t parts,
                 int64_t part, int64_t rows, int64_t channels, float *to,
                 int64_t stride);
  // Right tile from 16 rows, each of `count` numbers, whose sum this is to be;
  // a row that is none, and numbers beyond, become zeros.
  void (*turn)(const Bf16 *const *rows, int64_t count, Bf16 *to);
  // out[position][c] = bias[c] + left * right for `row_tiles` times 16
  // positions and channels c from `channel` on: `column_tiles` (1, or 2 with at
  // most 3 row tiles) times 16, but none from `channels` on. Positions without
  // an `out` are left away. Row r of row tile t begins at left[t] + r * stride,
  // its part of product i at offsets[i] from there; on the right the tiles of a
  // product lie side by side.
  void (*convolve)(int64_t row_tiles, int64_t column_tiles,
                   const Bf16 *const *left, int64_t stride,
                   const int64_t *offsets, const Bf16 *right, int64_t products,
                   const float *bias, int64_t channel, int64_t channels,
                   Bf16 *const *out);
};

// Plain loops, for tests.
const Tiles &plain_tiles();

// Intel AMX; nullptr where the processor, its system or the compiler has none.
const Tiles *amx_tiles();

}  // namespace spikedhs
