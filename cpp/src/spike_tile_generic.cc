// Event-driven convolution for any processor.
#include "spike_tile.h"

#include <cstring>
#include "spike_tile.inc"

namespace spikedhs {
const SpikeKernels spike_kernels_generic = {tile, count, differ, "generic"};
}  // namespace spikedhs
