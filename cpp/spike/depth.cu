// CUDA kernels of spikedhs::depth_stack and its gradient; see depth_element.h.
#include "depth_element.h"

namespace spikedhs {

template <int kLanes, typename Index>
__device__ Index depth_index() {
  return (static_cast<Index>(blockIdx.x) * kDepthThreads + threadIdx.x) *
         kLanes;
}

template <int kLanes, typename Index, typename Scalar>
__global__ void __launch_bounds__(kDepthThreads)
    depth_forward_kernel(const DepthStack<Scalar> p) {
  const Index at = depth_index<kLanes, Index>();
  if (at < static_cast<Index>(kDepthTaps * p.size())) {
    depth_forward_thread<kLanes>(p, at);
  }
}

template <int kLanes, typename Index, typename Scalar, typename Real>
__global__ void __launch_bounds__(kDepthThreads)
    depth_backward_kernel(const DepthStack<Scalar> p) {
  const Index at = depth_index<kLanes, Index>();
  if (at < static_cast<Index>(p.size())) {
    depth_backward_thread<kLanes, Index, Scalar, Real>(p, at);
  }
}

}  // namespace spikedhs
