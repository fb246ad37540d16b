// CUDA kernels of spikedhs::feature_volume: forward a thread owns elements of
// the volume, backward those of a feature. See volume_element.h.
#include "volume_element.h"

namespace spikedhs {

template <int kLanes, typename Index>
__device__ Index volume_index() {
  return (static_cast<Index>(blockIdx.x) * kVolumeThreads + threadIdx.x) *
         kLanes;
}

template <int kLanes, typename Index, typename Scalar>
__global__ void __launch_bounds__(kVolumeThreads)
    volume_forward_kernel(const VolumeForward<Scalar> p) {
  const Index at = volume_index<kLanes, Index>();
  if (at < static_cast<Index>(p.shape.volume_size())) {
    volume_forward_thread<kLanes>(p, at);
  }
}

template <int kLanes, typename Index, typename Scalar, typename Real>
__global__ void __launch_bounds__(kVolumeThreads)
    volume_backward_kernel(const VolumeBackward<Scalar, Real> p) {
  const Index at = volume_index<kLanes, Index>();
  if (at < static_cast<Index>(p.shape.feature_size())) {
    volume_backward_thread<kLanes>(p, at);
  }
}

}  // namespace spikedhs
