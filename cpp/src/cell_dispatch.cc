// Picks the kernels of a cell for the processor at hand.
#include "cell_kernels.h"
#include "isa.h"

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

const CellKernels &cell_kernels_float() {
#if defined(SPIKEDHS_X86_KERNELS)
  if (isa() == Isa::kAvx512) return avx512::kernels_float();
  if (isa() == Isa::kAvx2) return avx2::kernels_float();
#endif
  return generic::kernels_float();
}

const CellKernels &cell_kernels_bfloat16() {
#if defined(SPIKEDHS_X86_KERNELS)
  if (isa() == Isa::kAvx512) return avx512::kernels_bfloat16();
  if (isa() == Isa::kAvx2) return avx2::kernels_bfloat16();
#endif
  return generic::kernels_bfloat16();
}

}  // namespace spikedhs
