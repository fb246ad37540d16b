// The LIF operator over all time steps: one forward scan, one backward scan.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <tuple>

#include "compat.h"

namespace spikedhs {

// Everything but the tensors. `steps` is T: dimension 0 of every tensor is
// T * N, time slowest.
struct LifOptions {
  double tau;
  double threshold;
  int64_t steps;
  int64_t surrogate;  // a Family of surrogate.h
};

// Throws with a sentence when shapes, types or options do not fit together.
void check_lif(const at::Tensor &current, const at::Tensor &temperature,
               const LifOptions &options, const optional<at::Tensor> &membrane,
               const optional<at::Tensor> &table);

// Throws unless there is such a family and a table is there exactly where the
// family is one; see DerivativeTable.
void check_surrogate(int64_t surrogate, const optional<at::Tensor> &table);

// dy/du of every element of u [N, C, ...], with one temperature or one a
// channel; in the type of u.
at::Tensor surrogate_composed(const at::Tensor &u,
                              const at::Tensor &temperature, double threshold,
                              int64_t surrogate,
                              const optional<at::Tensor> &table);

// Forward: spikes, shape and type of `current`, and (when asked for) the
// membrane after the last reset, shape [N, ...]. `membrane` is the state to
// start from; absent means zero.
using LifResult = std::tuple<at::Tensor, at::Tensor>;

// The operators' arguments, under a name.
std::string lif_schema(const char *name);
std::string lif_backward_schema(const char *name);

// By ATen operators alone: any device, and the tests' second opinion.
LifResult lif_composed(const at::Tensor &current, const at::Tensor &temperature,
                       double tau, double threshold, int64_t steps,
                       const optional<at::Tensor> &membrane, bool keep_membrane,
                       int64_t surrogate, const optional<at::Tensor> &table);

// Backward: gradients of `current` and of `membrane` (undefined when that was
// absent). Membranes are computed again from the currents, not stored.
LifResult lif_backward_composed(
    const at::Tensor &grad_spikes, const optional<at::Tensor> &grad_membrane,
    const at::Tensor &current, const at::Tensor &temperature, double tau,
    double threshold, int64_t steps, const optional<at::Tensor> &membrane,
    int64_t surrogate, const optional<at::Tensor> &table);

}  // namespace spikedhs
