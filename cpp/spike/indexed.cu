// CUDA kernels that number the elements of a result: spikedhs::feature_volume,
// spikedhs::depth_stack and their gradients.
#include "depth_element.h"
#include "volume_element.h"

namespace spikedhs {

template <int kLanes, typename Index, typename Arguments>
__global__ void __launch_bounds__(kIndexedThreads)
    indexed_kernel(const Arguments p) {
  const Index at =
      (static_cast<Index>(blockIdx.x) * kIndexedThreads + threadIdx.x) * kLanes;
  if (at < static_cast<Index>(p.written())) indexed_thread<kLanes>(p, at);
}

}  // namespace spikedhs
