// The arithmetic of one LIF neuron at one time step, forward and backward.
//
// Written once as inline functions that the CPU loops include and that a CUDA
// kernel can include unchanged; no ATen type appears here.
//
// Symbols of the paper (SpikeDHS, eq. 1): u membrane potential, y spike,
// I input current, tau leak, Vth threshold, t time step.
//     u_t = tau * u_{t-1} * (1 - y_{t-1}) + I_t,   y_t = 1 if u_t > Vth else 0
// v_t = u_t * (1 - y_t) is the membrane after the reset; it is all that the
// next step needs, so it is the streaming state.
#pragma once

#include <stdint.h>
#include <string.h>

#include "surrogate.h"

namespace spikedhs {

// A bfloat16 number as its bits: the upper half of a float's. Plain integer
// arithmetic lets a compiler vectorise the conversions.
struct Bf16 {
  uint16_t bits;
};

SPIKEDHS_INLINE float load(float x) { return x; }
SPIKEDHS_INLINE double load(double x) { return x; }
SPIKEDHS_INLINE float load(Bf16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

SPIKEDHS_INLINE void store(float *to, float x) { *to = x; }
SPIKEDHS_INLINE void store(double *to, double x) { *to = x; }
// Rounds to nearest, ties to even; a NaN stays one.
SPIKEDHS_INLINE void store(Bf16 *to, float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
  to->bits = static_cast<uint16_t>(is_nan ? 0x7fc0u : rounded);
}

// Eq. 1: the membrane potential before the reset. Product and sum round one by
// one on every device, so that a spike does not depend on where it is computed.
SPIKEDHS_INLINE float lif_charge(float v_before, float current, float tau) {
#if defined(__CUDA_ARCH__)
  return __fadd_rn(__fmul_rn(tau, v_before), current);
#else
  return tau * v_before + current;
#endif
}
SPIKEDHS_INLINE double lif_charge(double v_before, double current, double tau) {
#if defined(__CUDA_ARCH__)
  return __dadd_rn(__dmul_rn(tau, v_before), current);
#else
  return tau * v_before + current;
#endif
}

// dL/du_t from dL/dy_t and dL/dv_t. The reset path is part of the graph:
// v = u (1 - y) gives dv/du = 1 - y and dv/dy = -u.
template <typename Real>
SPIKEDHS_INLINE Real lif_grad_membrane(Real u, bool fired, Real grad_spike,
                                       Real grad_v, Real surrogate) {
  const Real kept = fired ? Real(0) : grad_v;
  return kept + (grad_spike - grad_v * u) * surrogate;
}

}  // namespace spikedhs
