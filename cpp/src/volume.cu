// CUDA kernels of spikedhs::feature_volume: forward a thread an element of the
// volume, backward one an element of a feature.
#include <cuda_runtime.h>

#include "volume_element.h"

namespace spikedhs {
namespace {

constexpr int kThreads = 256;

__device__ int64_t thread_index() {
  return static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
}

template <typename Scalar>
__global__ void __launch_bounds__(kThreads)
    forward_kernel(const VolumeForward<Scalar> p) {
  const int64_t i = thread_index();
  if (i < p.shape.volume_size()) volume_forward_thread(p, i);
}

template <typename Scalar, typename Real>
__global__ void __launch_bounds__(kThreads)
    backward_kernel(const VolumeBackward<Scalar, Real> p) {
  const int64_t i = thread_index();
  if (i < p.shape.feature_size()) volume_backward_thread(p, i);
}

unsigned int blocks(int64_t threads) {
  return static_cast<unsigned int>((threads + kThreads - 1) / kThreads);
}

const char *launched() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace

template <typename Scalar>
const char *launch_volume_forward(const VolumeForward<Scalar> &p,
                                  void *stream) {
  if (p.shape.volume_size() == 0) return nullptr;
  forward_kernel<<<blocks(p.shape.volume_size()), kThreads, 0,
                   static_cast<cudaStream_t>(stream)>>>(p);
  return launched();
}

template <typename Scalar, typename Real>
const char *launch_volume_backward(const VolumeBackward<Scalar, Real> &p,
                                   void *stream) {
  if (p.shape.feature_size() == 0) return nullptr;
  backward_kernel<<<blocks(p.shape.feature_size()), kThreads, 0,
                    static_cast<cudaStream_t>(stream)>>>(p);
  return launched();
}

template const char *launch_volume_forward(const VolumeForward<float> &,
                                           void *);
template const char *launch_volume_forward(const VolumeForward<double> &,
                                           void *);
template const char *launch_volume_forward(const VolumeForward<Bf16> &, void *);
template const char *launch_volume_backward(
    const VolumeBackward<float, float> &, void *);
template const char *launch_volume_backward(
    const VolumeBackward<double, double> &, void *);
template const char *launch_volume_backward(const VolumeBackward<Bf16, float> &,
                                            void *);

}  // namespace spikedhs
