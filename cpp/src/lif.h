// The LIF operator over all time steps: one forward scan, one backward scan.
#pragma once

#include <ATen/core/Tensor.h>

#include <tuple>

#include "compat.h"

namespace spikedhs {

// Everything but the tensors. `steps` is T: dimension 0 of every tensor is
// T * N, time slowest.
struct LifOptions {
  double tau;
  double threshold;
  int64_t steps;
};

// Throws with a sentence when shapes, types or options do not fit together.
void check_lif(const at::Tensor &current, const at::Tensor &temperature,
               const LifOptions &options, const optional<at::Tensor> &membrane);

// Forward: spikes, shape and type of `current`, and (when asked for) the
// membrane after the last reset, shape [N, ...]. `membrane` is the state to
// start from; absent means zero.
using LifResult = std::tuple<at::Tensor, at::Tensor>;

LifResult lif_cpu(const at::Tensor &current, const at::Tensor &temperature,
                  double tau, double threshold, int64_t steps,
                  const optional<at::Tensor> &membrane, bool keep_membrane);

// The same by ATen operators alone: any device, and the tests' second opinion.
LifResult lif_composed(const at::Tensor &current, const at::Tensor &temperature,
                       double tau, double threshold, int64_t steps,
                       const optional<at::Tensor> &membrane,
                       bool keep_membrane);

// Backward: gradients of `current` and of `membrane` (undefined when that was
// absent). Membranes are computed again from the currents, not stored.
LifResult lif_backward_cpu(const at::Tensor &grad_spikes,
                           const optional<at::Tensor> &grad_membrane,
                           const at::Tensor &current,
                           const at::Tensor &temperature, double tau,
                           double threshold, int64_t steps,
                           const optional<at::Tensor> &membrane);

LifResult lif_backward_composed(const at::Tensor &grad_spikes,
                                const optional<at::Tensor> &grad_membrane,
                                const at::Tensor &current,
                                const at::Tensor &temperature, double tau,
                                double threshold, int64_t steps,
                                const optional<at::Tensor> &membrane);

}  // namespace spikedhs
