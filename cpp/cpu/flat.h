// What the files share that are compiled once for each instruction set.
#pragma once

// The arrays of the loop that follows do not overlap. GCC forgets __restrict
// when it inlines and gives up where it would have to compare too many of them.
#if defined(__clang__)
#define SPIKEDHS_FLAT _Pragma("clang loop vectorize(assume_safety)")
#else
#define SPIKEDHS_FLAT _Pragma("GCC ivdep")
#endif

// No copy of an inline function may stay behind for other files to link to: it
// would hold instructions that their processor may lack.
#define SPIKEDHS_LOCAL inline __attribute__((always_inline))

// Asks for the lines of n elements that the next block of work needs: a block
// touches many short stretches of memory, too many for the hardware to foresee.
template <bool kWrite, typename Scalar>
SPIKEDHS_LOCAL void foresee(const Scalar *next, long n) {
  constexpr long line = 64 / static_cast<long>(sizeof(Scalar));
  for (long i = 0; i < n; i += line) {
    __builtin_prefetch(next + i, kWrite ? 1 : 0);
  }
}

// The namespace of the instruction set, chosen by the build.
#ifndef SPIKEDHS_ISA
#define SPIKEDHS_ISA generic
#endif
