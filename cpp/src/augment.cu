// CUDA kernel of spikedhs::augment: one thread a pixel of the output.
#include <cuda_runtime.h>

#include "augment_pixel.h"

namespace spikedhs {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    augment_kernel(const AugmentBatch a, const int64_t pixels) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= pixels) return;
  const int64_t row = i / a.out_width;
  const int64_t plane = row / a.out_height;
  a.out[i] = augmented_pixel(a, plane / a.channels,
                             static_cast<int32_t>(plane % a.channels),
                             static_cast<int32_t>(row % a.out_height),
                             static_cast<int32_t>(i % a.out_width));
}

}  // namespace

const char *launch_augment(const AugmentBatch &a, void *stream) {
  const int64_t pixels = a.batch * a.channels * a.out_height * a.out_width;
  if (pixels == 0) return nullptr;
  const auto blocks =
      static_cast<unsigned int>((pixels + kThreads - 1) / kThreads);
  augment_kernel<<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      a, pixels);
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace spikedhs
