// The loop of sgd_kernels.h; CMake compiles this file once for each instruction
// set, with SPIKEDHS_ISA as its name.
#include "sgd_kernels.h"

namespace spikedhs {
namespace SPIKEDHS_ISA {
namespace {

#if defined(__FMA__)
void step(const SgdConstants &c, int64_t n, const float *__restrict g,
          float *__restrict m, float *__restrict w) {
  const float momentum = c.momentum, decay = c.decay, down = -c.rate;
  for (int64_t i = 0; i < n; i++) {
    float next = momentum * m[i] + g[i];
    if (decay != 0) next = __builtin_fmaf(w[i], decay, next);
    m[i] = next;
    w[i] = __builtin_fmaf(next, down, w[i]);
  }
}
#else
constexpr SgdKernel step = nullptr;
#endif

}  // namespace

SgdKernel sgd() { return step; }

}  // namespace SPIKEDHS_ISA
}  // namespace spikedhs
