// CUDA kernels of the LIF scan (eq. 1, 2): one launch for all T. What a thread
// does is in lif_thread.h; which version runs is chosen in lif_launch.h.
#include "lif_thread.h"

namespace spikedhs {

template <int kSteps, int kLanes, typename Scalar, typename Real>
__global__ void __launch_bounds__(kLifThreads, 2)
    lif_forward_kernel(const LifForward<Scalar, Real> p) {
  const int64_t first =
      (static_cast<int64_t>(blockIdx.x) * kLifThreads + threadIdx.x) * kLanes;
  if (first < p.neurons) lif_forward_thread<kSteps, kLanes>(p, first);
}

// Blocks that a processor must have room for, which bounds a thread's
// registers. With a bound the assembler starts so many reads of a family's
// table at once that other numbers spill; 0 leaves it the choice.
template <int kFamily>
constexpr int kLifBlocks = kFamily == static_cast<int>(Family::kTable) ? 0 : 2;

template <int kFamily, int kSteps, bool kExact, int kLanes, typename Scalar,
          typename Real>
__global__ void __launch_bounds__(kLifThreads, kLifBlocks<kFamily>)
    lif_backward_kernel(const LifBackward<Scalar, Real> p) {
  // Raw bytes, since the type differs from one instance to the next.
  extern __shared__ __align__(16) unsigned char shared[];
  Real *table = nullptr;
  if (lif_wants_table(p, kLanes)) {
    table = reinterpret_cast<Real *>(shared);
    lif_fill_table<kFamily>(p, table, static_cast<int>(threadIdx.x),
                            kLifThreads);
    __syncthreads();
  }
  const int64_t first =
      (static_cast<int64_t>(blockIdx.x) * kLifThreads + threadIdx.x) * kLanes;
  if (first < p.neurons) {
    lif_backward_thread<kFamily, kSteps, kExact, kLanes>(p, table, first);
  }
}

}  // namespace spikedhs
