// Kernels of a cell: everything between its convolutions.
//
// A cell's convolutions leave raw currents y, channels last: one row of
// `stride` elements a pixel, the pixels of step 0 first. The kernels normalise
// them, run the neurons over all steps, mix and sum, forward and backward,
// without a tensor in between: each y is read once for its statistics, once
// forward and once backward.
//
// The kernels are compiled for several instruction sets (cell_kernels.cc) and
// take raw pointers; no ATen type appears here.
#pragma once

#include <stdint.h>

#include "surrogate.h"

namespace spikedhs {

// What one edge brings to a node from the fan of its source: the outputs of
// `ops` operations side by side, each of the node's width.
struct FanPart {
  const void *y;   // pixel 0, step 0, first channel of the part
  void *grad;      // backward: dL/dz goes here, placed as y
  int64_t stride;  // elements from a pixel to the next
  int64_t ops;
  // Normalisation z = y * scale + shift, by channel of the part; step t has its
  // own at t * norm_stride (0: shared by all steps).
  const float *scale, *shift, *mean, *inverse;
  int64_t norm_stride;
  // Weight of each operation in the mixture; NULL: 1.
  const float *weights;
  // Surrogate temperature by channel and its factor (surrogate_factor), where
  // each operation has neurons of its own (mixed at the spike); NULL: mixed at
  // the membrane.
  const float *b, *factor;
  // Where a chunk's partial sums lie: sums of dL/dz and dL/dz * yhat, [groups,
  // ops * width] each, then of the weights' gradients, [ops].
  int64_t partial;
};

constexpr int64_t kMostParts = 64;  // of a node

// A skip between nodes: the spikes of an earlier node, unchanged.
struct SkipPart {
  const void *x;        // spikes, row of `width` elements a pixel
  float *grad;          // backward: added here, placed as x
  const float *weight;  // NULL: 1
  int64_t partial;      // of the weight's gradient
};

// A gradient that reaches the node's spikes.
struct SpikeGrad {
  const void *data;  // element type of the cell; or float
  int64_t stride;
  bool is_float;
};

struct NodeArgs {
  const FanPart *fans;
  int64_t fan_count;
  const SkipPart *skips;
  int64_t skip_count;
  int64_t width, steps, pixels;  // pixels of one step, over the whole batch
  int64_t groups;                // of normalisation: 1, or steps
  float tau, vth;
  Family family;  // of the surrogate of all neurons
  DerivativeTable<float> table;
  float b, factor;  // of the node's neurons
  // Forward: spikes, to rows of out_stride elements and, where others read
  // them, to dense rows as well.
  void *out;
  int64_t out_stride;
  void *spikes;  // may be NULL
  float *sums;   // the node's current, dense rows; may be NULL (not kept)
  // Backward.
  SpikeGrad grads[3];
  int64_t grad_count;
};

// One set of kernels for one element type (float or bfloat16) and one
// instruction set.
struct CellKernels {
  // Adds up y - pivot and its square over rows, by channel: sums[channels],
  // squares[channels] start from 0.
  void (*norm_sums)(const void *y, int64_t rows, int64_t channels,
                    const float *pivot, float *sums, float *squares);
  // grad = gain * (grad - grad_mean - (y - mean) * slope), in place.
  void (*norm_backward)(const void *y, void *grad, int64_t rows,
                        int64_t channels, const float *gain,
                        const float *grad_mean, const float *mean,
                        const float *slope);
  // Floats of scratch memory that the two below need.
  int64_t (*node_scratch)(const NodeArgs &a);
  void (*node_forward)(const NodeArgs &a, int64_t first, int64_t last,
                       float *scratch);
  // Sums go to `partial`, which starts from 0.
  void (*node_backward)(const NodeArgs &a, int64_t first, int64_t last,
                        float *scratch, double *partial);
};

}  // namespace spikedhs
