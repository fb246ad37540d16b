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

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__CUDACC__)
#define SPIKEDHS_INLINE __host__ __device__ inline
#else
#define SPIKEDHS_INLINE inline __attribute__((always_inline))
#endif

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

// a * b + c, rounded once where the processor can do that in one instruction.
// For the surrogate only: spikes must not depend on it.
SPIKEDHS_INLINE float multiply_add(float a, float b, float c) {
#if defined(__FMA__)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

// exp(x) for x <= 0, relative error below 1e-6: plain arithmetic, so that a
// compiler turns a loop over it into vector code. Below -87 it stays at e^-87.
SPIKEDHS_INLINE float exp_of_negative(float x) {
#if defined(__CUDA_ARCH__)
  // Two instructions; within 2e-6 where the surrogate is not 0.
  return __expf(x);
#else
  const float clamped = x < -87.0f ? -87.0f : x;
  // x / ln 2 = n + f: rounded to the nearest integer by adding and removing
  // 1.5 * 2^23, after which the lowest bits of `shifted` are those of n.
  const float per_ln2 = 1.44269504088896341f;
  const float magic = 12582912.0f;
  const float shifted = multiply_add(clamped, per_ln2, magic);
  const float n = shifted - magic;
  const float f = multiply_add(clamped, per_ln2, -n);
  // 2^f for |f| <= 1/2: the polynomial of this degree with the least error.
  float p = 0.00132764305f;
  p = multiply_add(p, f, 0.00967554096f);
  p = multiply_add(p, f, 0.0555071346f);
  p = multiply_add(p, f, 0.240221202f);
  p = multiply_add(p, f, 0.693146944f);
  p = multiply_add(p, f, 1.00000012f);
  // Times 2^n: n is added to the exponent.
  uint32_t exponent, bits;
  memcpy(&exponent, &shifted, sizeof exponent);
  memcpy(&bits, &p, sizeof bits);
  bits += exponent << 23;
  memcpy(&p, &bits, sizeof p);
  return p;
#endif
}

SPIKEDHS_INLINE double exp_of_negative(double x) { return exp(x); }

// a / b for 1 <= b <= 4, without the GPU's slow path for denormal numbers.
SPIKEDHS_INLINE float quotient(float a, float b) {
#if defined(__CUDA_ARCH__)
  return __fdividef(a, b);
#else
  return a / b;
#endif
}
SPIKEDHS_INLINE double quotient(double a, double b) { return a / b; }

// Dspike surrogate with temperature b, centred on the threshold:
//     dy/du = (b/2) * (1 - tanh^2(b (u - Vth))) / tanh(b/2)
// inside the open interval (Vth - 1/2, Vth + 1/2), exactly 0 outside.
// For Vth = 0.5 that is the paper's Dspike with Dspike(0) = 0, Dspike(1) = 1.
// `scale` is 2 b / tanh(b/2), computed once a channel: with
// e = exp(-2 |b x|), 1 - tanh^2(b x) = 4 e / (1 + e)^2.
template <typename Real>
SPIKEDHS_INLINE Real dspike_derivative(Real u, Real vth, Real b, Real scale) {
  const Real bx = b * (u - vth);
  const Real magnitude = bx < Real(0) ? -bx : bx;
  const Real e = exp_of_negative(Real(-2) * magnitude);
  const Real one_plus = Real(1) + e;
  const Real value = quotient(scale * e, one_plus * one_plus);
  const bool inside = u > vth - Real(0.5) && u < vth + Real(0.5);
  return inside ? value : Real(0);
}

// The factor above that does not depend on u.
template <typename Real>
SPIKEDHS_INLINE Real dspike_scale(Real b) {
  return Real(2) * b / tanh(b / Real(2));
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
