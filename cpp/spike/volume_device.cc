// The feature volume on accelerators: kernels of volume.cu, or the composed
// operators where they cannot be had.
#include "launch.h"

#ifdef SPIKEDHS_DEVICE_OPERATORS

#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "volume.h"
#include "volume_emulate.h"

namespace spikedhs {
namespace {

constexpr auto kEmulate = [](const auto &p) { volume_emulate(p); };

template <typename Scalar>
bool launch_volume(c10::Device device, const VolumeForward<Scalar> &p) {
  const IndexedVersion v = volume_version(p);
  return launch(device, "feature_volume",
                volume_forward_instance(v.lanes, v.wide, element_of(Scalar{})),
                grid_of(p.shape.volume_size(), kVolumeThreads, v.lanes), p,
                kEmulate);
}

template <typename Scalar, typename Real>
bool launch_volume(c10::Device device, const VolumeBackward<Scalar, Real> &p) {
  const IndexedVersion v = volume_version(p);
  return launch(device, "feature_volume_backward",
                volume_backward_instance(v.lanes, v.wide, element_of(Scalar{})),
                grid_of(p.shape.feature_size(), kVolumeThreads, v.lanes), p,
                kEmulate);
}

at::Tensor volume_device(const at::Tensor &left, const at::Tensor &right,
                         int64_t planes) {
  const c10::DeviceGuard guard(left.device());
  bool launched = kernels_ready(left.device());
  if (launched) {
    at::Tensor volume = volume_forward_tensors<kForDevice>(
        left, right, planes,
        [&](const auto &p) { launched = launch_volume(left.device(), p); });
    if (launched) return volume;
  }
  return volume_composed(left, right, planes);
}

VolumeGrads volume_backward_device(const at::Tensor &grad_volume,
                                   bool channels_last) {
  const c10::Device device = grad_volume.device();
  const c10::DeviceGuard guard(device);
  bool launched = kernels_ready(device);
  if (launched) {
    VolumeGrads grads = volume_backward_tensors<kForDevice>(
        grad_volume, channels_last,
        [&](const auto &p) { launched = launch_volume(device, p); });
    if (launched) return grads;
  }
  return volume_backward_composed(grad_volume, channels_last);
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_IMPL(spikedhs, SPIKEDHS_ACCELERATOR_KEY, library) {
  library.impl("feature_volume", &spikedhs::volume_device);
  library.impl("feature_volume_backward", &spikedhs::volume_backward_device);
}

#endif  // SPIKEDHS_DEVICE_OPERATORS
