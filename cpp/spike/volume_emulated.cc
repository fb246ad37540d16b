// The emulated CUDA kernels of the feature volume as operators, for tests
// alone.
#include <torch/library.h>

#include "volume.h"
#include "volume_emulate.h"

namespace spikedhs {
namespace {

at::Tensor volume_emulated(const at::Tensor &left, const at::Tensor &right,
                           int64_t planes) {
  return volume_forward_tensors<kForDevice>(
      left, right, planes, [](const auto &p) { volume_emulate(p); });
}

VolumeGrads volume_backward_emulated(const at::Tensor &grad_volume,
                                     bool channels_last) {
  return volume_backward_tensors<kForDevice>(
      grad_volume, channels_last, [](const auto &p) { volume_emulate(p); });
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
