// A few numbers side by side, as many as a register of the instruction set
// holds, and sixteen in as many registers as they fill; for files that are
// compiled once for each instruction set (flat.h). Written with the vectors of
// GCC and Clang, so that it compiles for every processor.
//
// Included inside no namespace; what it defines is local to the including file.
#pragma once

#include <stdint.h>
#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "flat.h"

namespace spikedhs {
namespace SPIKEDHS_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int64_t kLanes = 16;
#elif defined(__AVX2__)
constexpr int64_t kLanes = 8;
#else
constexpr int64_t kLanes = 4;
#endif

template <typename Number>  // of four bytes
struct LanesOf {
  typedef Number Register __attribute__((vector_size(kLanes * 4), may_alias));
  Register v;
};
typedef LanesOf<float> Lanes;

// A single float with the same operations, for what is left of a row.
struct Lane {
  float v;
};

template <typename L>
SPIKEDHS_LOCAL L operator+(L a, L b) {
  return L{a.v + b.v};
}
template <typename L>
SPIKEDHS_LOCAL L operator-(L a, L b) {
  return L{a.v - b.v};
}
SPIKEDHS_LOCAL Lanes operator*(Lanes a, Lanes b) { return Lanes{a.v * b.v}; }
template <typename Number>
SPIKEDHS_LOCAL LanesOf<Number> operator^(LanesOf<Number> a, LanesOf<Number> b) {
  return LanesOf<Number>{a.v ^ b.v};
}

SPIKEDHS_LOCAL void read(Lane *to, const float *from) { to->v = *from; }
SPIKEDHS_LOCAL void write(float *to, Lane x) { *to = x.v; }

SPIKEDHS_LOCAL void read(Lanes *to, const float *from) {
  memcpy(&to->v, from, sizeof to->v);
}
SPIKEDHS_LOCAL void write(float *to, Lanes x) { memcpy(to, &x.v, sizeof x.v); }

template <typename Number>
SPIKEDHS_LOCAL LanesOf<Number> all(Number x) {
  return LanesOf<Number>{x - typename LanesOf<Number>::Register{}};
}

// a * b + c, rounded once where the processor can.
SPIKEDHS_LOCAL Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
#if defined(__AVX512F__)
  return Lanes{_mm512_fmadd_ps(a.v, b.v, c.v)};
#elif defined(__AVX2__) && defined(__FMA__)
  return Lanes{_mm256_fmadd_ps(a.v, b.v, c.v)};
#else
  return Lanes{a.v * b.v + c.v};
#endif
}

// Sixteen numbers, wherever a group of channels has so many. GCC keeps a vector
// that is wider than a register in memory, so there are as many as they fill.
template <typename Number>
struct __attribute__((may_alias)) Sixteen {
  static constexpr int kParts = 16 / kLanes;
  LanesOf<Number> parts[kParts];
};

// Loops over such parts are to leave no array behind.
#define SPIKEDHS_IN_REGISTERS _Pragma("GCC unroll 8")
#define SPIKEDHS_OPERATOR(op)                                            \
  template <typename Number>                                             \
  SPIKEDHS_LOCAL Sixteen<Number> operator op(const Sixteen<Number> &a,   \
                                             const Sixteen<Number> &b) { \
    Sixteen<Number> result;                                              \
    SPIKEDHS_IN_REGISTERS                                                \
    for (int i = 0; i < Sixteen<Number>::kParts; i++) {                  \
      result.parts[i] = a.parts[i] op b.parts[i];                        \
    }                                                                    \
    return result;                                                       \
  }
SPIKEDHS_OPERATOR(+)
SPIKEDHS_OPERATOR(*)
SPIKEDHS_OPERATOR(^)
#undef SPIKEDHS_OPERATOR

template <typename Number>
SPIKEDHS_LOCAL Sixteen<Number> all16(Number x) {
  Sixteen<Number> result;
  SPIKEDHS_IN_REGISTERS
  for (auto &part : result.parts) part = all(x);
  return result;
}

}  // namespace
}  // namespace SPIKEDHS_ISA
}  // namespace spikedhs
