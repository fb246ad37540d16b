// CUDA kernel of spikedhs::augment: one thread a pixel of the output.
#include "augment_pixel.h"

namespace spikedhs {

__global__ void __launch_bounds__(kAugmentThreads)
    augment_kernel(const AugmentBatch a) {
  const int64_t i =
      static_cast<int64_t>(blockIdx.x) * kAugmentThreads + threadIdx.x;
  if (i < a.size()) augment_thread(a, i);
}

}  // namespace spikedhs
