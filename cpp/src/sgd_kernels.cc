// The loop of sgd_kernels.h; CMake compiles this file once for each instruction
// set, with SPIKEDHS_ISA as its name.
#include "sgd_kernels.h"

namespace spikedhs {
namespace SPIKEDHS_ISA {
namespace {

// a * b + c, in one rounding where libtorch's operators have it.
inline float multiply_add(float a, float b, float c) {
#if defined(__FMA__)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

void step(const SgdConstants &c, int64_t n, const float *__restrict g,
          float *__restrict m, float *__restrict w) {
  const float momentum = c.momentum, decay = c.decay, down = -c.rate;
  for (int64_t i = 0; i < n; i++) {
    float next = momentum * m[i] + g[i];
    if (decay != 0) next = multiply_add(w[i], decay, next);
    m[i] = next;
    w[i] = multiply_add(next, down, w[i]);
  }
}

}  // namespace

SgdKernel sgd() { return step; }

}  // namespace SPIKEDHS_ISA
}  // namespace spikedhs
