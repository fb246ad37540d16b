// Event-driven convolution for x86-64 processors with AVX-512 as of Ice Lake
// and Zen 4: lists of set bits come from one compress instruction.
#include "spike_tile.h"

#ifdef SPIKEDHS_SPIKE_X86
// GCC 12 warns falsely about its own intrinsics.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#include <cstring>

#pragma GCC target( \
    "avx2,bmi,bmi2,popcnt,avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi2,avx512vpopcntdq")
#define SPIKEDHS_AVX512
#include "spike_tile.inc"

namespace spikedhs {
const SpikeKernels spike_kernels_avx512 = {tile, count, differ, "avx512"};
}  // namespace spikedhs
#endif
