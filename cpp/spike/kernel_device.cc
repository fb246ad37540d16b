// Operators by our CUDA kernels: on accelerators, where the composed operators
// take over if the kernels cannot be had, and for tests thread by thread on the
// CPU.
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "augment.h"
#include "depth_tensors.h"
#include "indexed.h"
#include "launch.h"
#include "lif_emulate.h"
#include "lif_tensors.h"
#include "volume.h"

namespace spikedhs {
namespace {

[[maybe_unused]] KernelCall kernel_call(const AugmentBatch &a) {
  return {augment_instance(), grid_of(a.size(), kAugmentThreads, 1)};
}

void emulate(const AugmentBatch &a) {
  for (int64_t i = 0; i < a.size(); i++) augment_thread(a, i);
}

// Launches the kernel of these arguments; false where it cannot be had.
template <typename Arguments>
bool launch(c10::Device device, Arguments p) {
  const KernelCall call = kernel_call(p);
  if (call.grid.blocks == 0) return true;
#ifdef SPIKEDHS_FAKE_DEVICE
  (void)device;
  fake::launch(Arguments::kOperator, [p] { emulate(p); });
  return true;
#else
  return launch_kernel(device, Arguments::kOperator, call.instance, call.grid,
                       &p);
#endif
}

// What makes an operator's tensors and calls its last argument, a launch, with
// the arguments of the kernel.
constexpr auto kLif = [](const auto &...arguments) {
  return lif_forward_tensors<kForDevice>(arguments...);
};
constexpr auto kLifBackward = [](const auto &...arguments) {
  return lif_backward_tensors<kForDevice>(arguments...);
};
constexpr auto kVolume = [](const auto &...arguments) {
  return volume_forward_tensors<kForDevice>(arguments...);
};
constexpr auto kVolumeBackward = [](const auto &...arguments) {
  return volume_backward_tensors<kForDevice>(arguments...);
};
constexpr auto kDepth = [](const auto &...arguments) {
  return depth_forward_tensors(arguments...);
};
constexpr auto kDepthBackward = [](const auto &...arguments) {
  return depth_backward_tensors(arguments...);
};
// The index is not looked at: that would make the caller wait. An index that
// does not exist gives a NaN image.
constexpr auto kAugment =
    [](const at::Tensor &images, const at::Tensor &index,
       const at::Tensor &choices, const at::Tensor &tables, int64_t height,
       int64_t width, int64_t cutout, const auto &launch) {
      at::Tensor out;
      launch(prepare_augment(images, index, choices, tables, height, width,
                             cutout, &out));
      return out;
    };

// An operator by its kernel, as functions of the type of its composed form.
template <auto kComposed, const auto &kTensors>
struct ByKernel;

template <typename Result, typename... Rest, const auto &kTensors,
          Result (*kComposed)(const at::Tensor &, Rest...)>
struct ByKernel<kComposed, kTensors> {
  static Result on_device(const at::Tensor &first, Rest... rest) {
    const c10::Device device = first.device();
    const c10::DeviceGuard guard(device);
    bool launched = kernels_ready(device);
    if (launched) {
      Result result = kTensors(
          first, rest..., [&](const auto &p) { launched = launch(device, p); });
      if (launched) return result;
    }
    return kComposed(first, rest...);
  }

  static Result emulated(const at::Tensor &first, Rest... rest) {
    return kTensors(first, rest..., [](const auto &p) { emulate(p); });
  }
};

using LifScan = ByKernel<&lif_composed, kLif>;
using LifGradient = ByKernel<&lif_backward_composed, kLifBackward>;
using VolumeOf = ByKernel<&volume_composed, kVolume>;
using VolumeGradient = ByKernel<&volume_backward_composed, kVolumeBackward>;
using DepthOf = ByKernel<&depth_stack_composed, kDepth>;
using DepthGradient = ByKernel<&depth_stack_backward_composed, kDepthBackward>;
using Augment = ByKernel<&augment_composed, kAugment>;

}  // namespace
}  // namespace spikedhs

#ifdef SPIKEDHS_DEVICE_OPERATORS
TORCH_LIBRARY_IMPL(spikedhs, SPIKEDHS_ACCELERATOR_KEY, library) {
  library.impl("lif", &spikedhs::LifScan::on_device);
  library.impl("lif_backward", &spikedhs::LifGradient::on_device);
  library.impl("feature_volume", &spikedhs::VolumeOf::on_device);
  library.impl("feature_volume_backward", &spikedhs::VolumeGradient::on_device);
  library.impl("depth_stack", &spikedhs::DepthOf::on_device);
  library.impl("depth_stack_backward", &spikedhs::DepthGradient::on_device);
  library.impl("augment", &spikedhs::Augment::on_device);
}
#endif

TORCH_LIBRARY_FRAGMENT(spikedhs, library) {
  library.def(spikedhs::lif_schema("lif_emulated").c_str(),
              &spikedhs::LifScan::emulated);
  library.def(spikedhs::lif_backward_schema("lif_backward_emulated").c_str(),
              &spikedhs::LifGradient::emulated);
  library.def(
      "feature_volume_emulated(Tensor left, Tensor right, int planes) -> "
      "Tensor",
      &spikedhs::VolumeOf::emulated);
  library.def(
      "feature_volume_backward_emulated(Tensor grad_volume, "
      "bool channels_last) -> (Tensor grad_left, Tensor grad_right)",
      &spikedhs::VolumeGradient::emulated);
  library.def("depth_stack_emulated(Tensor x, int planes) -> Tensor",
              &spikedhs::DepthOf::emulated);
  library.def(
      "depth_stack_backward_emulated(Tensor grad, int planes) -> Tensor",
      &spikedhs::DepthGradient::emulated);
}
