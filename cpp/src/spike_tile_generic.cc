// Event-driven convolution for any processor.
#include <cstring>

#include "spike_tile.h"
#include "spike_tile.inc"

namespace spikedhs {
const SpikeKernels spike_kernels_generic = {tile, count, differ, "generic"};
}  // namespace spikedhs
