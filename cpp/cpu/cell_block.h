// Blocks of neurons in flat arrays, for cell_kernels.cc, which is compiled for
// several instruction sets: everything here is inlined or local to its file.
#pragma once

#include "cell_kernels.h"
#include "flat.h"
#include "lif_step.h"

namespace spikedhs {
namespace SPIKEDHS_ISA {
namespace {

constexpr int64_t kFlat = 384;  // floats of one flat array, about

SPIKEDHS_LOCAL int64_t largest_run(const NodeArgs &a) {
  int64_t run = a.width;
  for (int64_t k = 0; k < a.fan_count; k++) {
    const int64_t n = a.fans[k].ops * a.width;
    if (n > run) run = n;
  }
  return run;
}

SPIKEDHS_LOCAL int64_t block_pixels(const NodeArgs &a) {
  const int64_t n = kFlat / largest_run(a);
  return n < 1 ? 1 : n;
}

SPIKEDHS_LOCAL void zero(float *x, int64_t n) {
  SPIKEDHS_FLAT
  for (int64_t i = 0; i < n; i++) x[i] = 0.0f;
}

// body(c) for the channels of a row. Rows are short, so whole vectors without
// the usual prologue and rest pay where the number of channels allows it.
template <typename Body>
SPIKEDHS_LOCAL void for_channels(int64_t run, Body body) {
  if (run % 16 == 0) {
    for (int64_t c = 0; c < run; c += 16) {
      SPIKEDHS_FLAT
      for (int64_t i = 0; i < 16; i++) body(c + i);
    }
  } else if (run % 8 == 0) {
    for (int64_t c = 0; c < run; c += 8) {
      SPIKEDHS_FLAT
      for (int64_t i = 0; i < 8; i++) body(c + i);
    }
  } else {
    SPIKEDHS_FLAT
    for (int64_t c = 0; c < run; c++) body(c);
  }
}

// Rows of `run` elements, `stride` apart, into a flat array, or added to it.
template <bool kAdd = false, typename Scalar>
SPIKEDHS_LOCAL void gather(float *to, const Scalar *from, int64_t stride,
                           int64_t rows, int64_t run) {
  for (int64_t p = 0; p < rows; p++) {
    const Scalar *row = from + p * stride;
    float *out = to + p * run;
    foresee<false>(row + rows * stride, run);
    for_channels(run, [=](int64_t c) {
      out[c] = kAdd ? out[c] + load(row[c]) : load(row[c]);
    });
  }
}

template <typename Scalar>
SPIKEDHS_LOCAL void scatter(Scalar *to, const float *from, int64_t stride,
                            int64_t rows, int64_t run) {
  for (int64_t p = 0; p < rows; p++) {
    Scalar *row = to + p * stride;
    const float *in = from + p * run;
    foresee<true>(row + rows * stride, run);
    for_channels(run, [=](int64_t c) { store(&row[c], in[c]); });
  }
}

// A constant by channel, repeated for each pixel of a block.
SPIKEDHS_LOCAL void tile(float *__restrict to, const float *from, int64_t rows,
                         int64_t run) {
  for (int64_t p = 0; p < rows; p++) {
    SPIKEDHS_FLAT
    for (int64_t c = 0; c < run; c++) to[p * run + c] = from[c];
  }
}

// Sums a tiled array back to channels.
SPIKEDHS_LOCAL void fold(double *to, const float *from, int64_t rows,
                         int64_t run) {
  for (int64_t c = 0; c < run; c++) {
    for (int64_t p = 0; p < rows; p++) to[c] += from[p * run + c];
  }
}

// The tiled constants of one part.
struct Tiles {
  float *scale, *shift, *mean, *inverse;  // [groups] of `flat` each
  float *b, *factor, *weight;
  float *sum_grad, *sum_hat, *sum_weight;  // accumulators, backward
};

SPIKEDHS_LOCAL float weight_of(const float *weights, int64_t op) {
  return weights == nullptr ? 1.0f : weights[op];
}

// Lays the tiles of all parts out in scratch memory and returns what is left.
SPIKEDHS_LOCAL float *lay_out(const NodeArgs &a, int64_t rows, bool backward,
                              Tiles *tiles, float *scratch) {
  for (int64_t k = 0; k < a.fan_count; k++) {
    const FanPart &part = a.fans[k];
    const int64_t run = part.ops * a.width;
    const int64_t flat = rows * run;
    Tiles &t = tiles[k];
    const auto take = [&](int64_t n) {
      float *memory = scratch;
      scratch += n * flat;
      return memory;
    };
    t.scale = take(a.groups);
    t.shift = take(a.groups);
    t.mean = take(a.groups);
    t.inverse = take(a.groups);
    for (int64_t g = 0; g < a.groups; g++) {
      const int64_t at = g * part.norm_stride;
      tile(t.scale + g * flat, part.scale + at, rows, run);
      tile(t.shift + g * flat, part.shift + at, rows, run);
      if (backward) {
        tile(t.mean + g * flat, part.mean + at, rows, run);
        tile(t.inverse + g * flat, part.inverse + at, rows, run);
      }
    }
    t.weight = take(1);
    for (int64_t p = 0; p < rows; p++) {
      SPIKEDHS_FLAT
      for (int64_t c = 0; c < run; c++) {
        t.weight[p * run + c] = weight_of(part.weights, c / a.width);
      }
    }
    t.b = take(1);
    t.factor = take(1);
    if (backward && part.b != nullptr) {
      tile(t.b, part.b, rows, run);
      tile(t.factor, part.factor, rows, run);
    }
    t.sum_grad = take(a.groups);
    t.sum_hat = take(a.groups);
    t.sum_weight = take(1);
    if (backward) {
      zero(t.sum_grad, a.groups * flat);
      zero(t.sum_hat, a.groups * flat);
      zero(t.sum_weight, flat);
    }
  }
  return scratch;
}

}  // namespace
}  // namespace SPIKEDHS_ISA
}  // namespace spikedhs
