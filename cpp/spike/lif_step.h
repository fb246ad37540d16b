// The arithmetic of one LIF neuron at one time step, forward and backward.
//
// Written once as inline functions that the CPU loops and the CUDA kernels
// include alike; no ATen type appears here.
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

// A float16 number of IEEE 754 as its bits.
struct Fp16 {
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
SPIKEDHS_INLINE float load(Fp16 x) {
  float value;
#if defined(__CUDA_ARCH__)
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(x.bits));
#else
  const uint32_t size = x.bits & 0x7fffu;
  if (size < 0x0400u) {  // below the normal numbers: multiples of 2^-24
    value = static_cast<float>(size) * 5.9604644775390625e-8f;
  } else {
    // The exponent is 112 less than a float's, that of infinity 224 less.
    const uint32_t bits = (size << 13) + ((size < 0x7c00u ? 112u : 224u) << 23);
    memcpy(&value, &bits, sizeof value);
  }
  if ((x.bits & 0x8000u) != 0) value = -value;
#endif
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
SPIKEDHS_INLINE void store(Fp16 *to, float x) {
#if defined(__CUDA_ARCH__)
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(to->bits) : "f"(x));
#else
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  bits &= 0x7fffffffu;
  uint32_t half;
  if (bits > 0x7f800000u) {
    half = 0x7fffu;                  // NaN
  } else if (bits >= 0x477ff000u) {  // 65520 and more round to infinity
    half = 0x7c00u;
  } else if (bits >= 0x38800000u) {  // 2^-14: a normal number
    half = (bits - (112u << 23) + 0xfffu + ((bits >> 13) & 1u)) >> 13;
  } else {
    // Adding 1/2 leaves the multiple of 2^-24, rounded to even by the sum.
    float value;
    memcpy(&value, &bits, sizeof value);
    value += 0.5f;
    memcpy(&half, &value, sizeof half);
    half -= 0x3f000000u;
  }
  to->bits = static_cast<uint16_t>(sign | half);
#endif
}

// Eq. 1: the membrane potential before the reset. Product and sum round one by
// one on every device, so that a spike does not depend on where it is computed.
template <typename Real>
SPIKEDHS_INLINE Real lif_charge(Real v_before, Real current, Real tau) {
#if defined(__CUDA_ARCH__)
  if constexpr (sizeof(Real) == sizeof(float)) {
    return __fadd_rn(__fmul_rn(tau, v_before), current);
  } else {
    return __dadd_rn(__dmul_rn(tau, v_before), current);
  }
#else
  return tau * v_before + current;
#endif
}

// Eq. 2: dL/du_t from dL/dy_t and dL/dv_t. The reset path is in the graph:
// v = u (1 - y) gives dv/du = 1 - y and dv/dy = -u.
template <typename Real>
SPIKEDHS_INLINE Real lif_grad_membrane(Real u, bool fired, Real grad_spike,
                                       Real grad_v, Real surrogate) {
  const Real kept = fired ? Real(0) : grad_v;
  return kept + (grad_spike - grad_v * u) * surrogate;
}

}  // namespace spikedhs
