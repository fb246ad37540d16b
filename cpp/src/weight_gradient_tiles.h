// What the gradient of a convolution's weights (weight_gradient.cc) asks of a
// processor: packing of tiles and their products. No ATen type appears here, so
// that a file for a newer processor shares no inline function with the others.
#pragma once

#include <stdint.h>

#include "lif_step.h"

namespace spikedhs {

// A tile is 16 channels by 32 positions: on the left a row for each channel, on
// the right a row for each pair of positions, channel by channel.
constexpr int64_t kTileChannels = 16;
constexpr int64_t kTilePositions = 32;
constexpr int64_t kTile = kTileChannels * kTilePositions;     // elements
constexpr int64_t kTileSums = kTileChannels * kTileChannels;  // float32
constexpr int64_t kPair = 2 * kTileChannels;                  // elements
constexpr int64_t kMostTiles = 4;  // of output channels at a time
constexpr int64_t kBlock = 6;      // tiles of positions at a time

struct GradientTiles {
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
};

// Plain loops, for tests.
const GradientTiles &plain_tiles();

// Intel AMX; nullptr where the processor, its system or the compiler has none.
const GradientTiles *amx_tiles();

}  // namespace spikedhs
