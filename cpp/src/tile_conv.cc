// See tile_conv.h.
#include "tile_conv.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>

#include "divide.h"
#include "room.h"

namespace spikedhs {
namespace {

// Sizes for a second-level cache of 2 MB.
constexpr int64_t kWeightElements = 500 << 10;
constexpr int64_t kInputElements = 200 << 10;
constexpr int64_t kRows = 2 * kTileChannels;  // positions at a time

// How a convolution is cut up.
struct Cut {
  int64_t lead;    // zeros before the first row
  int64_t row;     // positions of a row of the output and its gap
  int64_t first;   // the topmost row that a tap reads, in strides
  int64_t extent;  // rows below it that a row reads, in strides
  int64_t band_rows, image_bands;
  int64_t class_rows;           // rows of a band's input of one remainder
  int64_t class_size;           // elements
  int64_t group_pairs, groups;  // pairs of column tiles at a time

  explicit Cut(const TileConv &c) {
    lead = std::max<int64_t>(0, -c.left);
    const int64_t last =
        c.stride * (c.out_width - 1) + c.kernel_width - 1 + c.left;
    const int64_t gap = std::max(lead, last - (c.width - 1));
    row = std::max(c.out_width, divide_up(c.width + gap, c.stride));
    first = divide_down(c.top, c.stride);
    extent = divide_down(c.kernel_height - 1 + c.top, c.stride) - first;
    const int64_t line = c.stride * c.stride * row * c.in;
    const int64_t most = std::max<int64_t>(1, kInputElements / line - extent);
    image_bands = divide_up(c.out_height, most);
    band_rows = divide_up(c.out_height, image_bands);
    class_rows = band_rows + extent;
    // Beyond the last row a tile reads the positions of its other rows, and
    // what a product has beyond the taps.
    class_size = divide_up((lead + (class_rows + 1) * c.stride * row +
                            kRows * c.stride) *
                                   c.in +
                               kTilePositions,
                           32) *
                 32;
    const int64_t pairs = divide_up(c.column_tiles(), 2);
    group_pairs = std::max<int64_t>(
        1, std::min(pairs, kWeightElements / (2 * c.products() * kTile)));
    groups = divide_up(pairs, group_pairs);
    group_pairs = divide_up(pairs, groups);
  }
};

// A thread's work.
class Worker {
 public:
  Worker(const Tiles &tiles, const TileConv &conv, const Cut &cut,
         const Bf16 *x, const Bf16 *weights, const float *bias, Bf16 *y)
      : tiles_(tiles),
        c_(conv),
        cut_(cut),
        x_(x),
        weights_(weights),
        bias_(bias),
        y_(y),
        room_(conv.stride * cut.class_size) {
    for (int64_t a = 0; a < c_.kernel_height; a++) {
      const int64_t down = divide_down(a + c_.top, c_.stride);
      const int64_t rest = a + c_.top - down * c_.stride;
      for (int64_t i = 0; i < c_.row_products(); i++) {
        offsets_.push_back(
            rest * cut_.class_size +
            ((down - cut_.first) * c_.stride * cut_.row + cut_.lead + c_.left) *
                c_.in +
            i * kTilePositions);
      }
    }
  }

  // A band of an image with a group of output channels.
  void run(int64_t group, int64_t band) {
    const int64_t image = band / cut_.image_bands;
    const int64_t top = band % cut_.image_bands * cut_.band_rows;
    if (band != packed_) fill(image, top);
    packed_ = band;
    const int64_t rows = std::min(cut_.band_rows, c_.out_height - top);
    const int64_t positions = (rows - 1) * cut_.row + c_.out_width;
    const int64_t first = group * cut_.group_pairs;
    const int64_t last =
        std::min(first + cut_.group_pairs, divide_up(c_.column_tiles(), 2));
    Bf16 *const image_out = y_ + image * c_.image_step;
    for (int64_t at = 0; at < positions; at += kRows) {
      Bf16 *out[kRows];
      for (int64_t i = 0; i < kRows; i++) {
        const int64_t row = (at + i) / cut_.row, x = (at + i) % cut_.row;
        out[i] =
            row < rows && x < c_.out_width
                ? image_out + (top + row) * c_.row_step + x * c_.column_step
                : nullptr;
      }
      const int64_t row_tiles = positions - at > kTileChannels ? 2 : 1;
      for (int64_t pair = first; pair < last; pair++) {
        const int64_t channel = pair * 2 * kTileChannels;
        Bf16 *to[kRows];
        for (int64_t i = 0; i < kRows; i++) {
          to[i] = out[i] == nullptr ? nullptr : out[i] + channel;
        }
        tiles_.convolve(
            row_tiles, std::min<int64_t>(2, c_.column_tiles() - pair * 2),
            room_.begin() + at * c_.stride * c_.in, c_.stride * c_.in,
            offsets_.data(), weights_ + pair * 2 * c_.products() * kTile,
            c_.products(), bias_ + channel, c_.out - channel, to);
      }
    }
  }

 private:
  // Copies what a band reads, rows of one remainder by the stride together.
  void fill(int64_t image, int64_t top) {
    const int64_t bytes = c_.width * c_.in * sizeof(Bf16);
    for (int64_t rest = 0; rest < c_.stride; rest++) {
      Bf16 *to = room_.begin() + rest * cut_.class_size + cut_.lead * c_.in;
      for (int64_t row = 0; row < cut_.class_rows; row++) {
        const int64_t y = c_.stride * (top + row + cut_.first) + rest;
        if (y >= 0 && y < c_.height) {
          std::memcpy(to, x_ + (image * c_.height + y) * c_.width * c_.in,
                      bytes);
        } else {
          std::memset(to, 0, bytes);
        }
        to += c_.stride * cut_.row * c_.in;
      }
    }
  }

  const Tiles &tiles_;
  const TileConv &c_;
  const Cut &cut_;
  const Bf16 *x_, *weights_;
  const float *bias_;
  Bf16 *y_;
  Room room_;
  std::vector<int64_t> offsets_;
  int64_t packed_ = -1;
};

// body(column, a, p, at) for all tiles of packed weights: the tile at `at` is
// that of a column tile and product p of the row of taps a.
template <typename Body>
void for_weights(const TileConv &c, Bf16 *to, Body body) {
  at::parallel_for(
      0, c.column_tiles() * c.kernel_height, 1,
      [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
          const int64_t column = i / c.kernel_height, a = i % c.kernel_height;
          const int64_t beside =
              std::min<int64_t>(2, c.column_tiles() - column / 2 * 2);
          for (int64_t p = 0; p < c.row_products(); p++) {
            Bf16 *at = to + (column / 2 * 2 * c.products() +
                             (a * c.row_products() + p) * beside + column % 2) *
                                kTile;
            body(column, a, p, at);
          }
        }
      });
}

}  // namespace

int64_t TileConv::row_products() const {
  return divide_up(kernel_width * in, kTilePositions);
}

int64_t TileConv::products() const { return kernel_height * row_products(); }

int64_t TileConv::column_tiles() const { return divide_up(out, kTileChannels); }

int64_t TileConv::weights_size() const {
  return column_tiles() * products() * kTile;
}

void pack_weights(const Tiles &tiles, const TileConv &c, const Bf16 *weights,
                  Bf16 *to) {
  const int64_t taps = c.kernel_width * c.in;
  for_weights(c, to, [&](int64_t column, int64_t a, int64_t p, Bf16 *at) {
    const Bf16 *rows[kTileChannels];
    for (int64_t r = 0; r < kTileChannels; r++) {
      const int64_t out = column * kTileChannels + r;
      rows[r] = out < c.out ? weights + (out * c.kernel_height + a) * taps +
                                  p * kTilePositions
                            : nullptr;
    }
    tiles.turn(rows, taps - p * kTilePositions, at);
  });
}

void pack_exchanged(const Tiles &tiles, const TileConv &c, const Bf16 *weights,
                    int64_t side, const std::vector<int64_t> &rows,
                    const std::vector<int64_t> &columns, Bf16 *to) {
  for_weights(c, to, [&](int64_t column, int64_t a, int64_t p, Bf16 *at) {
    const Bf16 *positions[kTilePositions];
    for (int64_t i = 0; i < kTilePositions; i++) {
      const int64_t k = p * kTilePositions + i;
      const int64_t b = k / c.in, o = k % c.in;
      positions[i] =
          b < c.kernel_width
              ? weights + ((o * side + rows[a]) * side + columns[b]) * c.out
              : nullptr;
    }
    const int64_t channel = column * kTileChannels;
    tiles.interleave(positions, kTilePositions / 2, channel,
                     std::min(channel + kTileChannels, c.out), 0, at);
  });
}

void run_conv(const Tiles &tiles, const TileConv &c, const Bf16 *x,
              const Bf16 *weights, const float *bias, Bf16 *y) {
  const Cut cut(c);
  const int64_t bands = c.images * cut.image_bands;
  at::parallel_for(0, cut.groups * bands, 1, [&](int64_t begin, int64_t end) {
    tiles.begin();
    Worker worker(tiles, c, cut, x, weights, bias, y);
    for (int64_t i = begin; i < end; i++) worker.run(i / bands, i % bands);
    tiles.end();
  });
}

}  // namespace spikedhs
