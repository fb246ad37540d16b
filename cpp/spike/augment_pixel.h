// One pixel of an augmented image: what data.Transform does in Go, for images
// that lie on the device. The CPU operator and the CUDA kernel share it.
#pragma once

#include "lif_step.h"  // SPIKEDHS_INLINE

namespace spikedhs {

// For each image of the batch: the row and column of the stored image that fall
// on the first pixel of the output (they may lie outside), whether the window
// is mirrored, and the centre of the cutout.
constexpr int kAugmentChoices = 5;

constexpr int kAugmentThreads = 256;  // of a block

struct AugmentBatch {
  static constexpr const char *kOperator = "augment";
  const uint8_t *images;   // [stored, channels, height, width]
  const int64_t *index;    // [batch], which stored image
  const int32_t *choices;  // [batch, kAugmentChoices]
  const float *tables;     // [channels, 256], the value of each pixel level
  float *out;              // [batch, channels, out_height, out_width]
  int64_t stored, batch;
  int32_t channels, height, width, out_height, out_width;
  int32_t cutout;  // side of the erased square, 0 for none

  SPIKEDHS_INLINE int64_t size() const {
    return batch * channels * out_height * out_width;
  }
};

// Pixel x of row y in channel c of image n of the batch. What lies outside of
// the stored image is a pixel of level 0; the cutout is 0 after all else.
SPIKEDHS_INLINE float augmented_pixel(const AugmentBatch &a, int64_t n,
                                      int32_t c, int32_t y, int32_t x) {
  const int32_t *choice = a.choices + n * kAugmentChoices;
  if (a.cutout > 0) {
    const int32_t dy = y - (choice[3] - a.cutout / 2);
    const int32_t dx = x - (choice[4] - a.cutout / 2);
    if (dy >= 0 && dy < a.cutout && dx >= 0 && dx < a.cutout) return 0.0f;
  }
  const int32_t row = y + choice[0];
  const int32_t column = (choice[2] != 0 ? a.out_width - 1 - x : x) + choice[1];
  const int64_t stored = a.index[n];
  if (stored < 0 || stored >= a.stored) return nanf("");  // must not be read
  int32_t level = 0;
  if (row >= 0 && row < a.height && column >= 0 && column < a.width) {
    const int64_t plane = stored * a.channels + c;
    level = a.images[(plane * a.height + row) * a.width + column];
  }
  return a.tables[c * 256 + level];
}

// Writes the output's number `i`.
SPIKEDHS_INLINE void augment_thread(const AugmentBatch &a, int64_t i) {
  const int64_t row = i / a.out_width;
  const int64_t plane = row / a.out_height;
  a.out[i] = augmented_pixel(a, plane / a.channels,
                             static_cast<int32_t>(plane % a.channels),
                             static_cast<int32_t>(row % a.out_height),
                             static_cast<int32_t>(i % a.out_width));
}

}  // namespace spikedhs
