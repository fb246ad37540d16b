// Event-driven convolution over binary spikes: what one tile of output pixels
// needs, without ATen types.
//
// Spikes are bit-packed: a tensor of int64 words [T*N, H, W, words], channel c
// in bit c % 64 of word c / 64. A convolution then is, for each output pixel,
// the sum of the weight rows [tap][channel] whose bit is set. Neurons under a
// steady image fire alike from step to step, so only what changes is added: the
// sum at step t is the sum at an earlier step, its reference, plus the rows of
// the bits that came and minus those of the bits that went.
#pragma once

#include <cstdint>

namespace spikedhs {

// Output channels come in groups of so many, whose neurons fill 16 bits of a
// word.
constexpr int64_t kGroup = 16;
// The most groups of output channels that are summed at once, in registers.
constexpr int64_t kMaxVectors = 6;
constexpr int64_t kWordBits = 64;
// Taps of the largest kernel: event numbers have 16 bits.
constexpr int64_t kMaxKernel = 7;

// A step that starts from nothing and has many, or few, spikes.
constexpr int8_t kDense = -1, kSparse = -2;

// A binary tensor with the weights that it is convolved with; the padding is
// kernel / 2.
struct SpikeSource {
  const uint64_t *bits;
  int64_t height, width, words;
  int64_t kernel, stride;
  // [block][word][tap][64][vectors * 16], 64-byte aligned.
  const float *weights;
};

// One layer: sources that drive the same neurons on the same output grid.
struct SpikeJob {
  const SpikeSource *sources;
  int64_t source_count;
  int64_t steps, batch, height, width;
  // For each image and step the step whose sum this one starts from, or kDense
  // or kSparse for none: [batch][steps].
  const int8_t *reference;
  // [blocks * vectors * 16]
  const float *bias;
  int64_t blocks, vectors;
  // Either currents [T*N, H, W, channels] ...
  float *currents;
  int64_t channels;
  // ... or spikes of LIF neurons: for every vector the place of its 16 bits in
  // the first pixel (null: padding) and the distance to the next pixel.
  uint16_t *const *spikes;
  const int64_t *spike_stride;
  float tau, threshold;
};

// Bits that are set in n words, and bits that differ between two arrays.
// `rows` counts from 0 over all images: row y of image i is i * height + y.
// `scratch` has room for tile_scratch() floats, 64-byte aligned.
struct SpikeKernels {
  void (*tile)(const SpikeJob &job, int64_t first_row, int64_t rows,
               float *scratch);
  int64_t (*count)(const uint64_t *a, int64_t n);
  int64_t (*differ)(const uint64_t *a, const uint64_t *b, int64_t n);
};

// Room for the parts of the scratch, in numbers of 4 bytes. Lists may be
// written up to 64 numbers past their end.
inline int64_t gather_room(const SpikeJob &job) {
  int64_t taps = 0;
  for (int64_t i = 0; i < job.source_count; i++) {
    const int64_t kernel = job.sources[i].kernel;
    if (kernel * kernel > taps) taps = kernel * kernel;
  }
  return taps * kWordBits + kWordBits;
}

// Input rows under `rows` output rows, at most.
inline int64_t rows_under(const SpikeJob &job, const SpikeSource &s,
                          int64_t rows) {
  const int64_t images = rows / job.height + 2;
  const int64_t wanted = rows * s.stride + images * s.kernel;
  return wanted < images * s.height ? wanted : images * s.height;
}

inline int64_t starts_room(const SpikeJob &job, int64_t rows) {
  int64_t room = 0;
  for (int64_t i = 0; i < job.source_count; i++) {
    const SpikeSource &s = job.sources[i];
    const int64_t n = rows_under(job, s, rows) * job.steps * (s.width + 1);
    if (n > room) room = n;
  }
  return room;
}

inline int64_t tile_scratch(const SpikeJob &job, int64_t rows) {
  int64_t entries = 0;
  for (int64_t i = 0; i < job.source_count; i++) {
    const SpikeSource &s = job.sources[i];
    const int64_t n =
        rows_under(job, s, rows) * job.steps * s.width * kWordBits;
    if (n > entries) entries = n;
  }
  return rows * job.width * job.steps * job.vectors * kGroup +
         gather_room(job) + rows * kMaxKernel + starts_room(job, rows) +
         entries + kWordBits;
}

}  // namespace spikedhs
