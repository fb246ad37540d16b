// Surrogate gradients: what stands for dy/du of a spike in eq. 2 of the paper.
//
// Every family is centred on the threshold, x = u - Vth, and has one parameter
// b, its temperature: larger is steeper. Where a source names a width, b is its
// inverse. All but SuperSpike have area 1 for every b, like the step that they
// stand for. docs/surrogates.md has formulas, sources and plots.
//
// A derivative is computed from b and a factor that does not depend on u, which
// is worked out once a channel. No ATen type appears here: CPU loops and CUDA
// kernels include this file alike.
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

// In the order of the operators' argument `surrogate` and of
// spike/surrogate.go.
#define SPIKEDHS_EACH_SURROGATE(use)                          \
  use(kDspike) use(kTriangular) use(kSuperSpike) use(kArcTan) \
      use(kRectangular) use(kExponential) use(kTable)
#define SPIKEDHS_ENUMERATOR(name) name,
enum class Family : int { SPIKEDHS_EACH_SURROGATE(SPIKEDHS_ENUMERATOR) };
#undef SPIKEDHS_ENUMERATOR
constexpr int64_t kFamilies = 7;

// The derivative of a family of the user's, as numbers h(z, b) with z = b x:
//     dy/du = b * h(b (u - Vth), b)
// Columns are z from -kReach to kReach in equal steps, rows are b from kLowest
// to kHighest in equal ratios; linear between columns and between rows. Outside
// of the columns the derivative is exactly 0, outside of the rows the nearest
// row counts. A table with one row is a shape that b only scales.
template <typename Real>
struct DerivativeTable {
  const Real *values;
  int32_t rows, columns;
};
constexpr double kTableReach = 8.0;
constexpr double kTableLowest = 0.25;
constexpr double kTableOctaves = 6.0;  // to the highest b, 16

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
  // In this order it is one instruction, a maximum.
  const float clamped = x > -87.0f ? x : -87.0f;
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

// a / b for b >= 1, without the GPU's slow path for denormal numbers.
SPIKEDHS_INLINE float quotient(float a, float b) {
#if defined(__CUDA_ARCH__)
  return __fdividef(a, b);
#else
  return a / b;
#endif
}
SPIKEDHS_INLINE double quotient(double a, double b) { return a / b; }

SPIKEDHS_INLINE float magnitude(float x) { return fabsf(x); }
SPIKEDHS_INLINE double magnitude(double x) { return fabs(x); }

// Dspike (Li et al. 2021; section 3.1 of the paper):
//     dy/du = (b/2) * (1 - tanh^2(b x)) / tanh(b/2)
// for |x| < 1/2, exactly 0 elsewhere. For Vth = 0.5 that is the paper's Dspike
// with Dspike(0) = 0, Dspike(1) = 1. The factor is 2 b / tanh(b/2): with
// e = exp(-2 |b x|), 1 - tanh^2(b x) = 4 e / (1 + e)^2.
template <typename Real>
SPIKEDHS_INLINE Real dspike_derivative(Real u, Real vth, Real b, Real factor) {
  const Real e = exp_of_negative(Real(-2) * magnitude(b * (u - vth)));
  const Real one_plus = Real(1) + e;
  const Real value = quotient(factor * e, one_plus * one_plus);
  // & and not &&: a second test that is made only after the first would be a
  // jump, and a loop with jumps becomes no vector code.
  const bool inside = (u > vth - Real(0.5)) & (u < vth + Real(0.5));
  return inside ? value : Real(0);
}

// The factor is the row that b lies at, with its fraction.
template <typename Real>
SPIKEDHS_INLINE Real table_derivative(Real u, Real vth, Real b, Real row,
                                      const DerivativeTable<Real> &table) {
  const Real reach = static_cast<Real>(kTableReach);
  const Real z = b * (u - vth);
  const bool inside = (z > -reach) & (z < reach);
  const Real place = ((inside ? z : Real(0)) + reach) *
                     (static_cast<Real>(table.columns - 1) / (Real(2) * reach));
  int32_t column = static_cast<int32_t>(place);
  column = column > table.columns - 2 ? table.columns - 2 : column;
  const Real across = place - static_cast<Real>(column);
  const int32_t r = static_cast<int32_t>(row);
  const Real down = row - static_cast<Real>(r);
  const Real *low = table.values + int64_t{r} * table.columns + column;
  const Real *high = r + 1 < table.rows ? low + table.columns : low;
  const Real first = low[0] + across * (low[1] - low[0]);
  const Real second = high[0] + across * (high[1] - high[0]);
  const Real value = b * (first + down * (second - first));
  return inside ? value : Real(0);
}

// dy/du at the membrane potential u.
template <Family kFamily, typename Real>
SPIKEDHS_INLINE Real surrogate_derivative(Real u, Real vth, Real b, Real factor,
                                          const DerivativeTable<Real> &table) {
  if constexpr (kFamily == Family::kDspike) {
    return dspike_derivative(u, vth, b, factor);
  } else if constexpr (kFamily == Family::kTable) {
    return table_derivative(u, vth, b, factor, table);
  } else if constexpr (kFamily == Family::kTriangular) {
    // b max(0, 1 - b |x|), width 2/b. Deng et al. 2022 with gamma = 1/b; the
    // shape of Esser et al. 2016 and Bellec et al. 2018.
    const Real height = Real(1) - magnitude(b * (u - vth));
    return height > Real(0) ? factor * height : Real(0);
  } else if constexpr (kFamily == Family::kSuperSpike) {
    // 1 / (1 + b |x|)^2, height 1 and area 2/b as in Zenke and Ganguli 2018.
    const Real one_plus = Real(1) + magnitude(b * (u - vth));
    return quotient(factor, one_plus * one_plus);
  } else if constexpr (kFamily == Family::kArcTan) {
    // b / (2 (1 + (pi/2 b x)^2)). Fang et al. 2021, alpha = b.
    const Real z = static_cast<Real>(1.57079632679489661923) * (b * (u - vth));
    return quotient(factor, Real(1) + z * z);
  } else if constexpr (kFamily == Family::kRectangular) {
    // b for |x| < 1/(2b). Wu et al. 2018 with the width a = 1/b.
    return magnitude(b * (u - vth)) < Real(0.5) ? factor : Real(0);
  } else {
    // (b/2) exp(-b |x|). Shrestha and Orchard 2018 with beta = b.
    return factor * exp_of_negative(-magnitude(b * (u - vth)));
  }
}

// The part of the derivative that depends on b alone.
template <Family kFamily, typename Real>
SPIKEDHS_INLINE Real surrogate_factor(Real b,
                                      const DerivativeTable<Real> &table) {
  if constexpr (kFamily == Family::kDspike) {
    return Real(2) * b / tanh(b / Real(2));
  } else if constexpr (kFamily == Family::kTable) {
    const Real last = static_cast<Real>(table.rows - 1);
    const Real octaves = log2(b / static_cast<Real>(kTableLowest));
    const Real row = octaves * (last / static_cast<Real>(kTableOctaves));
    return row > Real(0) ? (row < last ? row : last) : Real(0);
  } else if constexpr (kFamily == Family::kSuperSpike) {
    return Real(1);
  } else if constexpr (kFamily == Family::kArcTan ||
                       kFamily == Family::kExponential) {
    return b / Real(2);
  } else {
    return b;
  }
}

template <Family kFamily>
struct FamilyTag {
  static constexpr Family value = kFamily;
};

// Calls run(FamilyTag<...>()) for a family that is only known at run time; in a
// CUDA kernel all threads take the same way.
template <typename Run>
SPIKEDHS_INLINE auto with_family(Family family, const Run &run) {
#define SPIKEDHS_CASE(name) \
  case Family::name:        \
    return run(FamilyTag<Family::name>());
  switch (family) { SPIKEDHS_EACH_SURROGATE(SPIKEDHS_CASE) }
#undef SPIKEDHS_CASE
  return run(FamilyTag<Family::kDspike>());
}

template <typename Real>
SPIKEDHS_INLINE Real surrogate_derivative(Family family, Real u, Real vth,
                                          Real b, Real factor,
                                          const DerivativeTable<Real> &table) {
  return with_family(family, [&](auto tag) {
    return surrogate_derivative<decltype(tag)::value>(u, vth, b, factor, table);
  });
}

template <typename Real>
SPIKEDHS_INLINE Real surrogate_factor(Family family, Real b,
                                      const DerivativeTable<Real> &table) {
  return with_family(family, [&](auto tag) {
    return surrogate_factor<decltype(tag)::value>(b, table);
  });
}

}  // namespace spikedhs
