// The tiles of tiles.h as plain loops: an oracle for those of a
// processor, and a test of the cutting up on machines that have none.
#include <algorithm>

#include "tiles.h"

namespace spikedhs {
namespace {

void nothing() {}

Bf16 element(const Bf16 *position, int64_t channel) {
  return position == nullptr ? Bf16{0} : position[channel];
}

void transpose(const Bf16 *const *positions, int64_t channel, int64_t channels,
               Bf16 *to) {
  for (int64_t c = 0; c < kTileChannels; c++) {
    for (int64_t i = 0; i < kTilePositions; i++) {
      to[c * kTilePositions + i] =
          c < channels ? element(positions[i], channel + c) : Bf16{0};
    }
  }
}

void interleave(const Bf16 *const *positions, int64_t pairs, int64_t channel,
                int64_t last, int64_t stride, Bf16 *to) {
  for (; channel < last; channel += kTileChannels, to += stride) {
    for (int64_t i = 0; i < 2 * pairs; i++) {
      for (int64_t c = 0; c < kTileChannels; c++) {
        to[i / 2 * kPair + 2 * c + i % 2] =
            channel + c < last ? element(positions[i], channel + c) : Bf16{0};
      }
    }
  }
}

void multiply(int64_t height, const Bf16 *left, const Bf16 *const *columns,
              int64_t column_count, const int64_t *offsets, int64_t count,
              bool fresh, float *sums) {
  for (int64_t column = 0; column < column_count; column++) {
    for (int64_t i = 0; i < height; i++, sums += kTileSums) {
      for (int64_t at = 0; at < kTileSums; at++) {
        const int64_t row = at / kTileChannels, c = at % kTileChannels;
        float sum = fresh ? 0 : sums[at];
        for (int64_t step = 0; step < count; step++) {
          const Bf16 *a =
              left + (step * height + i) * kTile + row * kTilePositions;
          const Bf16 *b = columns[column] + offsets[step] + 2 * c;
          for (int64_t k = 0; k < kTilePositions; k++) {
            sum += load(a[k]) * load(b[k / 2 * kPair + k % 2]);
          }
        }
        sums[at] = sum;
      }
    }
  }
}

void halve(const float *from, int64_t taps, int64_t channels, Bf16 *to) {
  for (int64_t c = 0; c < channels; c++) {
    for (int64_t t = 0; t < taps; t++) {
      store(&to[t * channels + c], from[c * taps + t]);
    }
  }
}

void gather(const float *const *from, int64_t taps, int64_t parts, int64_t part,
            int64_t rows, int64_t channels, float *to, int64_t stride) {
  for (int64_t row = 0; row < rows; row++, to += stride) {
    for (int64_t t = 0; t < taps; t++) {
      for (int64_t c = 0; c < channels; c++) {
        float sum = 0;
        for (int64_t p = 0; p < parts; p++) {
          sum += from[t][p * part + row * kTileChannels + c];
        }
        to[c * taps + t] = sum;
      }
    }
  }
}

void turn(const Bf16 *const *rows, int64_t count, Bf16 *to) {
  for (int64_t r = 0; r < kTileChannels; r++) {
    for (int64_t k = 0; k < kTilePositions; k++) {
      to[k / 2 * kPair + 2 * r + k % 2] =
          rows[r] != nullptr && k < count ? rows[r][k] : Bf16{0};
    }
  }
}

void convolve(int64_t row_tiles, int64_t column_tiles, const Bf16 *const *left,
              int64_t stride, const int64_t *offsets, const Bf16 *right,
              int64_t products, const float *bias, int64_t channel,
              int64_t channels, Bf16 *const *out) {
  const int64_t count =
      std::min(channels - channel, column_tiles * kTileChannels);
  for (int64_t row = 0; row < row_tiles * kTileChannels; row++) {
    if (out[row] == nullptr) continue;
    for (int64_t c = 0; c < count; c++) {
      float sum = 0;
      for (int64_t i = 0; i < products; i++) {
        const Bf16 *a = left[row / kTileChannels] +
                        row % kTileChannels * stride + offsets[i];
        const Bf16 *b = right + (i * column_tiles + c / kTileChannels) * kTile +
                        2 * (c % kTileChannels);
        for (int64_t k = 0; k < kTilePositions; k++) {
          sum += load(a[k]) * load(b[k / 2 * kPair + k % 2]);
        }
      }
      store(&out[row][channel + c], sum + bias[channel + c]);
    }
  }
}

}  // namespace

const Tiles &plain_tiles() {
  static const Tiles tiles{nothing, nothing, transpose, interleave, multiply,
                           halve,   gather,  turn,      convolve};
  return tiles;
}

}  // namespace spikedhs
