// Dspike's derivative as a polynomial.
//
// For one temperature b the derivative (surrogate.h) is an even, smooth
// function of x = u - Vth inside |x| < 1/2, so a polynomial in x^2 follows it
// to the last digits of a float: some ten multiply-adds in place of an
// exponential and a division, which bound the backward pass of neurons. The
// steeper the surrogate, the more terms: the function has poles at
// b x = +- i pi/2, and the error falls with the degree n like r^-n, r from 6
// (b = 3) to 2.7 (b = 6).
#pragma once

#include "surrogate.h"

namespace spikedhs {

// The degrees that kernels are compiled for.
constexpr int kDspikeDegrees[] = {5, 9, 13};
constexpr int kDspikeFits = 3;

// Coefficients of w^0, w^1, ... with w = 8 x^2 - 1, in -1..1 for |x| < 1/2.
struct DspikePolynomial {
  int fit;  // index of the degree; -1: none is exact enough, b is too large
  float coefficients[14];
};

// The polynomial of the lowest degree whose largest error is at most
// `tolerance` times the derivative's largest value.
DspikePolynomial fit_dspike(double b, double tolerance);

// dy/du at the membrane potential u.
template <int kDegree>
SPIKEDHS_INLINE float dspike_polynomial(float u, float vth,
                                        const float *coefficients) {
  const float x = u - vth;
  const float w = multiply_add(8.0f * x, x, -1.0f);
  float value = coefficients[kDegree];
#pragma GCC unroll 16
  for (int i = kDegree - 1; i >= 0; i--) {
    value = multiply_add(value, w, coefficients[i]);
  }
  const bool inside = (u > vth - 0.5f) & (u < vth + 0.5f);
  return inside ? value : 0.0f;
}

}  // namespace spikedhs
