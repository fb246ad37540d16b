// The feature volume on CUDA devices: kernels of volume.cu on the current
// stream.
#ifdef SPIKEDHS_CUDA_KERNELS

#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "volume.h"

namespace spikedhs {
namespace {

void *current_stream(const at::Tensor &t) {
  return c10::cuda::getCurrentCUDAStream(t.device().index()).stream();
}

at::Tensor volume_cuda(const at::Tensor &left, const at::Tensor &right,
                       int64_t planes) {
  const c10::cuda::CUDAGuard device(left.device());
  return volume_forward_tensors(left, right, planes, [&](const auto &p) {
    const char *error = launch_volume_forward(p, current_stream(left));
    TORCH_CHECK(error == nullptr, "feature_volume: CUDA kernel: ", error);
  });
}

VolumeGrads volume_backward_cuda(const at::Tensor &grad_volume,
                                 bool channels_last) {
  const c10::cuda::CUDAGuard device(grad_volume.device());
  return volume_backward_tensors(
      grad_volume, channels_last, [&](const auto &p) {
        const char *error =
            launch_volume_backward(p, current_stream(grad_volume));
        TORCH_CHECK(error == nullptr,
                    "feature_volume_backward: CUDA kernel: ", error);
      });
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_IMPL(spikedhs, CUDA, library) {
  library.impl("feature_volume", &spikedhs::volume_cuda);
  library.impl("feature_volume_backward", &spikedhs::volume_backward_cuda);
}

#endif  // SPIKEDHS_CUDA_KERNELS
