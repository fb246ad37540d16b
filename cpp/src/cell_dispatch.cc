// Picks the kernels of a cell for the processor at hand.
#include "cell_kernels.h"

namespace spikedhs {

#define SPIKEDHS_DECLARE(isa)            \
  namespace isa {                        \
  const CellKernels &kernels_float();    \
  const CellKernels &kernels_bfloat16(); \
  }
SPIKEDHS_DECLARE(generic)
#if defined(SPIKEDHS_X86_KERNELS)
SPIKEDHS_DECLARE(avx2)
SPIKEDHS_DECLARE(avx512)
#endif
#undef SPIKEDHS_DECLARE

namespace {

enum class Isa { kGeneric, kAvx2, kAvx512 };

Isa best() {
#if defined(SPIKEDHS_X86_KERNELS)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq")) {
    return Isa::kAvx512;
  }
  if (__builtin_cpu_supports("avx2")) return Isa::kAvx2;
#endif
  return Isa::kGeneric;
}

const Isa chosen = best();

}  // namespace

const CellKernels &cell_kernels_float() {
#if defined(SPIKEDHS_X86_KERNELS)
  if (chosen == Isa::kAvx512) return avx512::kernels_float();
  if (chosen == Isa::kAvx2) return avx2::kernels_float();
#endif
  return generic::kernels_float();
}

const CellKernels &cell_kernels_bfloat16() {
#if defined(SPIKEDHS_X86_KERNELS)
  if (chosen == Isa::kAvx512) return avx512::kernels_bfloat16();
  if (chosen == Isa::kAvx2) return avx2::kernels_bfloat16();
#endif
  return generic::kernels_bfloat16();
}

}  // namespace spikedhs
