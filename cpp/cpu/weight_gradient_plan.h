// How the gradient of a convolution's weights is cut up; see
// weight_gradient.cc.
#pragma once

#include <algorithm>
#include <cstdint>

#include "divide.h"
#include "tiles.h"

namespace spikedhs {

struct ConvShape {
  int64_t images, in, out;
  int64_t height, width;          // of the input
  int64_t out_height, out_width;  // of the output
  int64_t kernel, stride, padding;
};

class GradientPlan {
 public:
  GradientPlan(const ConvShape &s, int64_t threads) {
    pairs = divide_up(s.out_width, 2);
    image_bands = divide_up(s.out_height,
                            std::max<int64_t>(1, kBandPositions / (2 * pairs)));
    band_rows = divide_up(s.out_height, image_bands);
    bands = s.images * image_bands;
    steps = divide_up(band_rows * 2 * pairs, kTilePositions);
    first_row = divide_down(-s.padding, s.stride);
    const int64_t last = divide_down(s.kernel - 1 - s.padding, s.stride);
    right_rows = band_rows + last - first_row;
    right_pairs = right_rows * pairs + kTilePositions / 2 - 1;
    variants = s.kernel * s.stride;
    taps = s.kernel * s.kernel;
    in_tiles = divide_up(s.in, kTileChannels);
    out_tiles = divide_up(s.out, kTileChannels);
    groups = divide_up(out_tiles, kMostTiles);
    const int64_t tile = variants * right_pairs * kPair;
    in_chunk = std::max<int64_t>(
        1, std::min({in_tiles, kMostInput, kRightElements / tile}));
    in_chunk = divide_up(in_tiles, divide_up(in_tiles, in_chunk));
    in_parts = divide_up(in_tiles, in_chunk);
    // Enough pieces that threads can share them evenly: bands, whose sums must
    // be added up, so that how many there are does not depend on the threads,
    // and, where that is not enough, fewer channels at a time.
    band_parts = std::min(divide_up(kParts, in_parts), bands);
    const int64_t wanted = kPieces * threads;
    if (in_parts * band_parts < wanted) {
      in_chunk = std::max<int64_t>(1, in_tiles * band_parts / wanted);
      in_parts = divide_up(in_tiles, in_chunk);
    }
    band_chunk =
        std::max<int64_t>(1, std::min(divide_up(bands, band_parts),
                                      kRightElements / (tile * in_chunk)));
    right_stride = band_chunk * right_pairs * kPair;
  }

  // First tile of a group of output channels.
  int64_t first_tile(int64_t group) const { return group * out_tiles / groups; }
  int64_t height(int64_t group) const {
    return first_tile(group + 1) - first_tile(group);
  }

  // Where the left tiles of a group and a step of all bands begin.
  int64_t left_at(int64_t group, int64_t step) const {
    return (first_tile(group) * bands * steps + step * height(group)) * kTile;
  }
  // Where the sums of a group and an input tile begin.
  int64_t sums_at(int64_t group, int64_t in_tile) const {
    return (first_tile(group) * in_tiles + in_tile * height(group)) * taps *
           kTileSums;
  }

  int64_t left_size() const { return out_tiles * bands * steps * kTile; }
  int64_t right_size() const { return variants * in_chunk * right_stride; }
  int64_t sums_size() const { return out_tiles * in_tiles * taps * kTileSums; }

  int64_t pairs;                   // of positions in a row of the output
  int64_t band_rows, image_bands;  // rows of a band, bands of an image
  int64_t bands;                   // of all images
  int64_t steps;                   // tiles of positions of a band
  int64_t first_row;    // the topmost row that a tap reads, in strides
  int64_t right_rows;   // rows of a band on the right
  int64_t right_pairs;  // pairs of a band there, with what a last tile reads
  int64_t variants;     // of the right: horizontal taps, remainders of rows
  int64_t taps;
  int64_t in_tiles, out_tiles, groups;
  int64_t in_parts, band_parts;  // whose product is the number of pieces
  int64_t in_chunk, band_chunk;  // on the right at a time
  int64_t right_stride;          // elements of a variant and an input tile

 private:
  // Sizes for a second-level cache of 2 MB, beside the sums and the left.
  static constexpr int64_t kBandPositions = 1024;
  static constexpr int64_t kRightElements = 300 << 10;
  static constexpr int64_t kMostInput = 6;
  static constexpr int64_t kPieces = 4;  // a thread
  static constexpr int64_t kParts = 8;
};

}  // namespace spikedhs
