// A few floats side by side, as many as a register of the instruction set
// holds, for files that are compiled once for each (flat.h). Written with the
// vectors of GCC and Clang, so that it compiles for every processor.
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

struct Lanes {
  typedef float Floats __attribute__((vector_size(kLanes * 4)));
  Floats v;
};

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

SPIKEDHS_LOCAL void read(Lane *to, const float *from) { to->v = *from; }
SPIKEDHS_LOCAL void write(float *to, Lane x) { *to = x.v; }

SPIKEDHS_LOCAL void read(Lanes *to, const float *from) {
  memcpy(&to->v, from, sizeof to->v);
}
SPIKEDHS_LOCAL void write(float *to, Lanes x) { memcpy(to, &x.v, sizeof x.v); }

SPIKEDHS_LOCAL Lanes all(float x) { return Lanes{x - Lanes::Floats{}}; }

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

}  // namespace
}  // namespace SPIKEDHS_ISA
}  // namespace spikedhs
