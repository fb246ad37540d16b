// A cell as one operator: convolutions, batch normalisation, neurons and
// mixture, forward and backward, with one node in the autograd graph.
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>
#include <vector>

#include "compat.h"

namespace spikedhs {

// What reads a source: an operation of an edge into a node.
struct CellReader {
  int64_t node;
  int64_t weight;  // position in the mixture's weights; -1: weight 1
};

// The convolution over one source and its readers, output channels side by
// side, those of one node together.
struct CellFan {
  int64_t source;  // 0 and 1: the cells before; 2 + j: node j
  int64_t stride;
  std::vector<CellReader> readers;
  // The readers [first, last) that lead to a node.
  std::pair<size_t, size_t> readers_of(int64_t node) const;
};

// A skip between nodes.
struct CellSkip {
  int64_t source;  // an earlier node
  int64_t node;
  int64_t weight;
};

// The structure of a cell, decoded from a flat list of numbers:
//   nodes, width, steps, spiking (1: operations have neurons of their own),
//   per-step normalisation (1 or 0), planes (D, 0: a cell over two dimensions),
//   fans, then for each: source, stride, readers, then (node, weight) of each,
//   skips, then for each: source, node, weight.
struct CellPlan {
  int64_t nodes, width, steps;
  bool spiking, per_step;
  int64_t planes;  // above 0: weights have a depth, which is folded into the
                   // batch of every tensor (depth.h)
  std::vector<CellFan> fans;
  std::vector<CellSkip> skips;

  explicit CellPlan(at::IntArrayRef code);
  // Index of the fan that reads a source; -1 when there is none.
  int64_t fan_of(int64_t source) const;
  bool is_read(int64_t source) const;
};

struct CellConstants {
  double tau, threshold, momentum, epsilon;
  int64_t surrogate;  // a Family of surrogate.h, of all neurons of the cell
  at::Tensor table;   // float32 and dense where the family is a table
};

// Parameters, four a fan: convolution weight and bias, normalisation weight and
// bias. Buffers: two a fan, running mean and variance; where operations spike,
// one more, their temperatures; then one a node, its temperature.
constexpr int64_t kFanParameters = 4;
int64_t fan_buffers(const CellPlan &plan);

// What the forward pass makes and the backward pass needs.
struct CellTrace {
  at::Tensor s0, s1;                // in the computing type, channels last
  std::vector<at::Tensor> weights;  // of the convolutions, in the computing
                                    // type, without depth (depth_weight)
  std::vector<at::Tensor> y;        // raw currents of the fans
  std::vector<at::Tensor> mean, inverse;  // statistics, [groups, channels]
  std::vector<at::Tensor> spikes;         // of nodes that somebody reads
  std::vector<at::Tensor> sums;  // currents of nodes, where they are kept
};

// Computes the cell's output [T*N, nodes*width, H, W] with batch statistics and
// fills `trace`. `update` says whether running statistics are updated.
at::Tensor cell_forward(const CellPlan &plan, const CellConstants &constants,
                        const at::Tensor &s0, const at::Tensor &s1,
                        const optional<at::Tensor> &mix,
                        at::TensorList parameters, at::TensorList buffers,
                        at::ScalarType type, bool update, CellTrace *trace);

// Gradients: s0, s1, mix, then the parameters'. needs_weight[f] and the flags
// of the inputs say what to leave undefined.
struct CellGrads {
  at::Tensor s0, s1, mix;
  std::vector<at::Tensor> parameters;
};
struct CellNeeds {
  bool s0, s1, mix;
  std::vector<bool> weight;  // by fan: any of its parameters
};

// Consumes the trace: its tensors go as soon as nobody needs them.
CellGrads cell_backward(const CellPlan &plan, const CellConstants &constants,
                        const at::Tensor &grad, const optional<at::Tensor> &mix,
                        at::TensorList parameters, at::TensorList buffers,
                        const CellNeeds &needs, CellTrace trace);

}  // namespace spikedhs
