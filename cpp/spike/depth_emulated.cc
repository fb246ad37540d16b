// The emulated CUDA kernels of depth_stack as operators, for tests alone.
#include <torch/library.h>

#include "depth_emulate.h"
#include "depth_tensors.h"

namespace spikedhs {
namespace {

at::Tensor stack_emulated(const at::Tensor &x, int64_t planes) {
  return depth_forward_tensors(x, planes,
                               [](const auto &p) { depth_emulate_forward(p); });
}

at::Tensor stack_backward_emulated(const at::Tensor &grad, int64_t planes) {
  return depth_backward_tensors(
      grad, planes, [](const auto &p) { depth_emulate_backward(p); });
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, library) {
  library.def("depth_stack_emulated(Tensor x, int planes) -> Tensor");
  library.def(
      "depth_stack_backward_emulated(Tensor grad, int planes) -> Tensor");
}

TORCH_LIBRARY_IMPL(spikedhs, CPU, library) {
  library.impl("depth_stack_emulated", &spikedhs::stack_emulated);
  library.impl("depth_stack_backward_emulated",
               &spikedhs::stack_backward_emulated);
}
