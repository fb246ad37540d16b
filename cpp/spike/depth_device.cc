// depth_stack on accelerators: kernels of depth.cu, or the composed operators
// where they cannot be had.
#include "launch.h"

#ifdef SPIKEDHS_DEVICE_OPERATORS

#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "depth_emulate.h"
#include "depth_tensors.h"

namespace spikedhs {
namespace {

template <typename Scalar>
bool launch_forward(c10::Device device, const DepthStack<Scalar> &p) {
  const IndexedVersion v = depth_version(p);
  return launch(device, "depth_stack",
                depth_forward_instance(v.lanes, v.wide, element_of(Scalar{})),
                grid_of(kDepthTaps * p.size(), kDepthThreads, v.lanes), p,
                [](const auto &q) { depth_emulate_forward(q); });
}

template <typename Scalar>
bool launch_backward(c10::Device device, const DepthStack<Scalar> &p) {
  const IndexedVersion v = depth_version(p);
  return launch(device, "depth_stack_backward",
                depth_backward_instance(v.lanes, v.wide, element_of(Scalar{})),
                grid_of(p.size(), kDepthThreads, v.lanes), p,
                [](const auto &q) { depth_emulate_backward(q); });
}

at::Tensor stack_device(const at::Tensor &x, int64_t planes) {
  const c10::DeviceGuard guard(x.device());
  bool launched = kernels_ready(x.device());
  if (launched) {
    at::Tensor out = depth_forward_tensors(x, planes, [&](const auto &p) {
      launched = launch_forward(x.device(), p);
    });
    if (launched) return out;
  }
  return depth_stack_composed(x, planes);
}

at::Tensor stack_backward_device(const at::Tensor &grad, int64_t planes) {
  const c10::DeviceGuard guard(grad.device());
  bool launched = kernels_ready(grad.device());
  if (launched) {
    at::Tensor out = depth_backward_tensors(grad, planes, [&](const auto &p) {
      launched = launch_backward(grad.device(), p);
    });
    if (launched) return out;
  }
  return depth_stack_backward_composed(grad, planes);
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_IMPL(spikedhs, SPIKEDHS_ACCELERATOR_KEY, library) {
  library.impl("depth_stack", &spikedhs::stack_device);
  library.impl("depth_stack_backward", &spikedhs::stack_backward_device);
}

#endif  // SPIKEDHS_DEVICE_OPERATORS
