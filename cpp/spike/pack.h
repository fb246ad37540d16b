// Several neighbouring values that one GPU thread reads or writes at once.
#pragma once

#include "lif_step.h"

// Arrays that a thread indexes stay in registers only where loops are unrolled.
#if defined(__CUDA_ARCH__)
#define SPIKEDHS_UNROLL _Pragma("unroll")
#else
#define SPIKEDHS_UNROLL
#endif

namespace spikedhs {

constexpr int64_t kPackBytes = 16;  // of one load

// In kernels that number elements: neighbouring channels of a thread, threads
// of a block.
constexpr int kWideLanes = 8;
constexpr int kIndexedThreads = 256;

// A pack starts at a multiple of its size, up to the 16 bytes that a thread can
// move in one instruction.
template <typename Scalar, int kLanes>
struct alignas(sizeof(Scalar) * kLanes < kPackBytes ? sizeof(Scalar) * kLanes
                                                    : kPackBytes) Pack {
  Scalar lane[kLanes];
};

template <int kLanes, typename Scalar>
SPIKEDHS_INLINE Pack<Scalar, kLanes> load_pack(const Scalar *from) {
  return *reinterpret_cast<const Pack<Scalar, kLanes> *>(from);
}

template <int kLanes, typename Scalar>
SPIKEDHS_INLINE void store_pack(Scalar *to, const Pack<Scalar, kLanes> &pack) {
  *reinterpret_cast<Pack<Scalar, kLanes> *>(to) = pack;
}

}  // namespace spikedhs
