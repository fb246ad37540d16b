// The CUDA kernels of the feature volume, run thread by thread on the CPU:
// operators for tests alone.
#include <torch/library.h>

#include "volume.h"

namespace spikedhs {
namespace {

at::Tensor volume_emulated(const at::Tensor &left, const at::Tensor &right,
                           int64_t planes) {
  return volume_forward_tensors(left, right, planes, [](const auto &p) {
    for (int64_t i = 0; i < p.shape.volume_size(); i++) {
      volume_forward_thread(p, i);
    }
  });
}

VolumeGrads volume_backward_emulated(const at::Tensor &grad_volume,
                                     bool channels_last) {
  return volume_backward_tensors(grad_volume, channels_last, [](const auto &p) {
    for (int64_t i = 0; i < p.shape.feature_size(); i++) {
      volume_backward_thread(p, i);
    }
  });
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, library) {
  library.def(
      "feature_volume_emulated(Tensor left, Tensor right, int planes) -> "
      "Tensor");
  library.def(
      "feature_volume_backward_emulated(Tensor grad_volume, "
      "bool channels_last) -> (Tensor grad_left, Tensor grad_right)");
}

TORCH_LIBRARY_IMPL(spikedhs, CPU, library) {
  library.impl("feature_volume_emulated", &spikedhs::volume_emulated);
  library.impl("feature_volume_backward_emulated",
               &spikedhs::volume_backward_emulated);
}
