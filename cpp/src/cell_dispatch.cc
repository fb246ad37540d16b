// Picks the kernels of a cell for the processor at hand.
#include "cell_kernels.h"
#include "dispatch.h"

namespace spikedhs {

SPIKEDHS_DISPATCH(const CellKernels &, kernels_float)
SPIKEDHS_DISPATCH(const CellKernels &, kernels_bfloat16)

const CellKernels &cell_kernels_float() { return kernels_float(); }
const CellKernels &cell_kernels_bfloat16() { return kernels_bfloat16(); }

}  // namespace spikedhs
