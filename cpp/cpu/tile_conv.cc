// See tile_conv.h.
#include "tile_conv.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>

#include "divide.h"
#include "room.h"
#include "share.h"

namespace spikedhs {
namespace {

// Sizes for a second-level cache of 2 MB.
constexpr int64_t kWeightElements = 500 << 10;
constexpr int64_t kInputElements = 200 << 10;
constexpr int64_t kPieces = 4;      // a thread, at least
constexpr int64_t kBlockTiles = 2;  // column tiles at a time
// Of so many channels two row tiles do not stay in the nearest cache.
constexpr int64_t kManyChannels = 384;

// How a convolution is cut up.
struct Cut {
  int64_t lead;    // zeros before the first row
  int64_t row;     // positions of a row of the output and its gap
  int64_t step;    // elements from a position to the next
  int64_t first;   // the topmost row that a tap reads, in strides
  int64_t extent;  // rows below it that a row reads, in strides
  int64_t band_rows, image_bands;
  int64_t class_rows;            // rows of a band's input of one remainder
  int64_t class_size;            // elements
  bool aligned;                  // whether a row tile begins with each row
  int64_t group_blocks, groups;  // blocks of column tiles at a time

  explicit Cut(const TileConv &c) {
    lead = std::max<int64_t>(0, -c.left);
    const int64_t last =
        c.stride * (c.out_width - 1) + c.kernel_width - 1 + c.left;
    const int64_t gap = std::max(lead, last - (c.width - 1));
    row = std::max(c.out_width, divide_up(c.width + gap, c.stride));
    step = c.stride * c.in;
    first = divide_down(c.top, c.stride);
    extent = divide_down(c.kernel_height - 1 + c.top, c.stride) - first;
    const int64_t line = c.stride * row * step;
    const int64_t most = std::max<int64_t>(1, kInputElements / line - extent);
    const int64_t wanted = divide_up(kPieces * at::get_num_threads(), c.images);
    image_bands =
        std::max(divide_up(c.out_height, most), std::min(c.out_height, wanted));
    band_rows = divide_up(c.out_height, image_bands);
    class_rows = band_rows + extent;
    // Beyond the last row a tile reads the positions of its other rows, and
    // what a product has beyond the taps.
    class_size = divide_up(lead * c.in +
                               ((class_rows + 1) * row + kTileChannels) * step +
                               kTilePositions,
                           32) *
                 32;
    group_blocks = std::max<int64_t>(
        1, std::min(c.blocks(), kWeightElements / (2 * c.products() * kTile)));
    groups = divide_up(c.blocks(), group_blocks);
    group_blocks = divide_up(c.blocks(), groups);
    aligned = true;
    const int64_t tiles = row_tiles(c, band_rows);
    aligned = false;
    aligned = tiles < row_tiles(c, band_rows);
  }

  // Row tiles of some rows.
  int64_t row_tiles(const TileConv &c, int64_t rows) const {
    return aligned ? rows * tiles_of_row(c)
                   : divide_up((rows - 1) * row + c.out_width, kTileChannels);
  }
  int64_t tiles_of_row(const TileConv &c) const {
    return divide_up(c.out_width, kTileChannels);
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
    offsets_.resize(c_.products());
    for (int64_t a = 0; a < c_.kernel_height; a++) {
      const int64_t down = divide_down(a + c_.top, c_.stride);
      const int64_t rest = a + c_.top - down * c_.stride;
      for (int64_t run = 0; run < c_.runs(); run++) {
        const int64_t first = rest * cut_.class_size +
                              (down - cut_.first) * cut_.row * cut_.step +
                              (cut_.lead + c_.left + run) * c_.in;
        for (int64_t p = 0; p < c_.run_products(); p++) {
          offsets_[c_.product(a, run, p)] = first + p * kTilePositions;
        }
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
    const int64_t first = group * cut_.group_blocks;
    const int64_t last = std::min(first + cut_.group_blocks, c_.blocks());
    const int64_t row_tiles = cut_.row_tiles(c_, rows);
    for (int64_t at = 0, count = 0; at < row_tiles; at += count) {
      // Not one alone, after four.
      const int64_t rest = row_tiles - at;
      count = rest == kMostTiles + 1 ? 3 : std::min(kMostTiles, rest);
      const Bf16 *left[kMostTiles];
      Bf16 *out[kMostTiles * kTileChannels];
      for (int64_t t = 0; t < count; t++) {
        left[t] = row_tile(image, top, rows, at + t, out + t * kTileChannels);
      }
      // A block of one column tile is the last, for all row tiles.
      const int64_t step = count == 3 ? 3 : 2;
      int64_t block = first;
      for (int64_t t = 0; t < count; t += step) {
        for (block = first; block < last; block++) {
          if (c_.block_tiles(block) < kBlockTiles) break;
          multiply(block, left + t, std::min(step, count - t),
                   out + t * kTileChannels);
        }
      }
      if (block < last) multiply(block, left, count, out);
    }
  }

 private:
  void multiply(int64_t block, const Bf16 *const *left, int64_t row_tiles,
                Bf16 *const *out) const {
    const int64_t tile = block * kBlockTiles;
    tiles_.convolve(row_tiles, c_.block_tiles(block), left, cut_.step,
                    offsets_.data(), weights_ + tile * c_.products() * kTile,
                    c_.products(), bias_, tile * kTileChannels, c_.out, out);
  }

  // Where a row tile's first position lies, and where its outputs go.
  const Bf16 *row_tile(int64_t image, int64_t top, int64_t rows, int64_t tile,
                       Bf16 **out) const {
    int64_t row = 0, x = 0;
    if (cut_.aligned) {
      row = tile / cut_.tiles_of_row(c_);
      x = tile % cut_.tiles_of_row(c_) * kTileChannels;
    } else {
      row = tile * kTileChannels / cut_.row;
      x = tile * kTileChannels % cut_.row;
    }
    const Bf16 *const left = room_.begin() + (row * cut_.row + x) * cut_.step;
    for (int64_t i = 0; i < kTileChannels; i++, x++) {
      if (x == cut_.row && !cut_.aligned) {
        x = 0;
        row++;
      }
      out[i] = row < rows && x < c_.out_width
                   ? y_ + image * c_.image_step + (top + row) * c_.row_step +
                         x * c_.column_step
                   : nullptr;
    }
    return left;
  }

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
        to += cut_.row * cut_.step;
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

// body(column, a, tap, p, at) for all tiles of packed weights: the tile at `at`
// is that of a column tile and product p of the run of taps that begins with
// (a, tap).
template <typename Body>
void for_weights(const TileConv &c, Bf16 *to, Body body) {
  share_each(c.column_tiles() * c.kernel_height, [&](int64_t i) {
    const int64_t column = i / c.kernel_height, a = i % c.kernel_height;
    const int64_t block = column / kBlockTiles;
    const int64_t before = block * kBlockTiles, beside = c.block_tiles(block);
    Bf16 *first = to + (before * c.products() + column - before) * kTile;
    for (int64_t run = 0; run < c.runs(); run++) {
      for (int64_t p = 0; p < c.run_products(); p++) {
        body(column, a, run * c.run_taps(), p,
             first + c.product(a, run, p) * beside * kTile);
      }
    }
  });
}

}  // namespace

bool TileConv::split() const {
  return in >= kManyChannels && in % kTilePositions == 0;
}

int64_t TileConv::runs() const { return split() ? kernel_width : 1; }

int64_t TileConv::run_taps() const { return split() ? 1 : kernel_width; }

int64_t TileConv::run_products() const {
  return divide_up(run_taps() * in, kTilePositions);
}

int64_t TileConv::products() const {
  return kernel_height * runs() * run_products();
}

int64_t TileConv::product(int64_t a, int64_t run, int64_t p) const {
  return split() ? (p * kernel_height + a) * kernel_width + run
                 : a * run_products() + p;
}

int64_t TileConv::column_tiles() const { return divide_up(out, kTileChannels); }

int64_t TileConv::blocks() const {
  return divide_up(column_tiles(), kBlockTiles);
}

int64_t TileConv::block_tiles(int64_t block) const {
  return std::min(kBlockTiles, column_tiles() - block * kBlockTiles);
}

int64_t TileConv::weights_size() const {
  return column_tiles() * products() * kTile;
}

void pack_weights(const Tiles &tiles, const TileConv &c, const Bf16 *weights,
                  Bf16 *to) {
  for_weights(
      c, to, [&](int64_t column, int64_t a, int64_t tap, int64_t p, Bf16 *at) {
        const Bf16 *rows[kTileChannels];
        for (int64_t r = 0; r < kTileChannels; r++) {
          const int64_t out = column * kTileChannels + r;
          rows[r] =
              out < c.out
                  ? weights +
                        ((out * c.kernel_height + a) * c.kernel_width + tap) *
                            c.in +
                        p * kTilePositions
                  : nullptr;
        }
        tiles.turn(rows, c.run_taps() * c.in - p * kTilePositions, at);
      });
}

void pack_exchanged(const Tiles &tiles, const TileConv &c, const Bf16 *weights,
                    int64_t side, const std::vector<int64_t> &rows,
                    const std::vector<int64_t> &columns, Bf16 *to) {
  for_weights(
      c, to, [&](int64_t column, int64_t a, int64_t tap, int64_t p, Bf16 *at) {
        const Bf16 *positions[kTilePositions];
        for (int64_t i = 0; i < kTilePositions; i++) {
          const int64_t k = p * kTilePositions + i;
          const int64_t b = tap + k / c.in, o = k % c.in;
          positions[i] =
              k < c.run_taps() * c.in
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
  share(cut.groups * bands, [&](Pieces &pieces) {
    tiles.begin();
    Worker worker(tiles, c, cut, x, weights, bias, y);
    for (int64_t i; pieces.take(i);) worker.run(i / bands, i % bands);
    tiles.end();
  });
}

}  // namespace spikedhs
