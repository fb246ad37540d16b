// Reverse steps (eq. 2) of the neurons of a cell, a loop for each family of
// surrogates; for cell_kernels.cc, which is compiled for several instruction
// sets.
#pragma once

#include "cell_kernels.h"
#include "flat.h"
#include "lif_step.h"

namespace spikedhs {
namespace SPIKEDHS_ISA {
namespace {

// One step backwards of the neurons of a part: grad is dL/dy over the
// operation's weight, and then dL/du; grad_v is dL/dv of this step, and then of
// the step before.
struct ReverseStep {
  const float *potential;
  const float *weight;
  const float *b, *factor;
  float *grad, *grad_v;
};

// One compiled loop a family, that takes its constants from arrays.
template <Family kFamily>
void reverse_part(const NodeArgs &a, int64_t n, const ReverseStep &s) {
  const float *__restrict potential = s.potential;
  const float *__restrict weight = s.weight;
  const float *__restrict b = s.b;
  const float *__restrict factor = s.factor;
  float *__restrict grad = s.grad;
  float *__restrict grad_v = s.grad_v;
  const float tau = a.tau, vth = a.vth;
  const DerivativeTable<float> table = a.table;
  SPIKEDHS_FLAT
  for (int64_t i = 0; i < n; i++) {
    const float u = potential[i];
    const float slope =
        surrogate_derivative<kFamily>(u, vth, b[i], factor[i], table);
    const float grad_u =
        lif_grad_membrane(u, u > vth, grad[i] * weight[i], grad_v[i], slope);
    grad[i] = grad_u;
    grad_v[i] = tau * grad_u;
  }
}

// The same for a node's own neurons, which share their constants; the gradient
// replaces the potential.
template <Family kFamily>
void reverse_node(const NodeArgs &a, int64_t n, float *__restrict potential,
                  const float *__restrict grad_spike,
                  float *__restrict grad_v) {
  const float tau = a.tau, vth = a.vth, b = a.b, factor = a.factor;
  const DerivativeTable<float> table = a.table;
  SPIKEDHS_FLAT
  for (int64_t i = 0; i < n; i++) {
    const float u = potential[i];
    const float slope = surrogate_derivative<kFamily>(u, vth, b, factor, table);
    const float grad_u =
        lif_grad_membrane(u, u > vth, grad_spike[i], grad_v[i], slope);
    potential[i] = grad_u;
    grad_v[i] = tau * grad_u;
  }
}

using ReversePart = void (*)(const NodeArgs &, int64_t, const ReverseStep &);
using ReverseNode = void (*)(const NodeArgs &, int64_t, float *, const float *,
                             float *);
#define SPIKEDHS_PART(name) &reverse_part<Family::name>,
#define SPIKEDHS_NODE(name) &reverse_node<Family::name>,
constexpr ReversePart reverse_parts[] = {
    SPIKEDHS_EACH_SURROGATE(SPIKEDHS_PART)};
constexpr ReverseNode reverse_nodes[] = {
    SPIKEDHS_EACH_SURROGATE(SPIKEDHS_NODE)};
#undef SPIKEDHS_PART
#undef SPIKEDHS_NODE

}  // namespace
}  // namespace SPIKEDHS_ISA
}  // namespace spikedhs
