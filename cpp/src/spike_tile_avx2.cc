// Event-driven convolution for x86-64 processors with AVX2.
#include "spike_tile.h"

#ifdef SPIKEDHS_SPIKE_X86
#include <immintrin.h>

#include <cstring>

#pragma GCC target("avx2,bmi,bmi2,popcnt")
#define SPIKEDHS_AVX2
#include "spike_tile.inc"

namespace spikedhs {
const SpikeKernels spike_kernels_avx2 = {tile, count, differ, "avx2"};
}  // namespace spikedhs
#endif
