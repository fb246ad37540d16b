// The instruction set that the CPU kernels of this library use.
#pragma once

namespace spikedhs {

enum class Isa { kGeneric, kAvx2, kAvx512 };

// The best one that this processor has. SPIKEDHS_KERNELS=generic|avx2|avx512 in
// the environment asks for a lesser one; a better one than there is is not
// taken.
Isa isa();

// Whether the processor converts to bfloat16 itself (AVX512-BF16), beside
// Isa::kAvx512. SPIKEDHS_KERNELS=avx512 asks for the kernels without.
bool isa_bfloat16();

// Whether there are tiles of bfloat16 (Intel AMX) and the system lets this
// process use them; asks for that the first time. Any SPIKEDHS_KERNELS asks for
// the kernels without.
bool isa_amx();

}  // namespace spikedhs
