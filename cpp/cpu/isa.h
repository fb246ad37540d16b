// What the kernels of this folder may use: the instruction set, and the
// families that are not switched off.
//
// SPIKEDHS_KERNELS in the environment is a list with commas between: an
// instruction set to take at most, and families to do without, each after a
// minus: "avx2", "-winograd", "avx512,-cell,-events".
#pragma once

namespace spikedhs {

// The names, from the least to the best. From avx512 on all kernels are
// compiled once, with AVX-512; a better one has instructions beside it:
// conversions to bfloat16, and Intel's tiles of bfloat16 as well.
#define SPIKEDHS_EACH_ISA(use) \
  use(generic) use(avx2) use(avx512) use(avx512bf16) use(amx)

// What does without has libtorch's own operators in its place: convolutions of
// 3x3 in float32 by Winograd's way, cells as one operator, event-driven layers,
// tiles for products in bfloat16, our own gradients of weights, the neurons'
// scans.
#define SPIKEDHS_EACH_FAMILY(use) \
  use(winograd) use(cell) use(events) use(tiles) use(gradients) use(lif)

#define SPIKEDHS_ENUMERATOR(name) name,
enum class Isa { SPIKEDHS_EACH_ISA(SPIKEDHS_ENUMERATOR) };
enum class Kernels { SPIKEDHS_EACH_FAMILY(SPIKEDHS_ENUMERATOR) };
#undef SPIKEDHS_ENUMERATOR

// The best one that this processor and its system have, and that is asked for.
Isa isa();

// Whether a family is not switched off.
bool wanted(Kernels family);

}  // namespace spikedhs
