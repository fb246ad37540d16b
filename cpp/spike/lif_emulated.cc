// The emulated CUDA kernels of the LIF scan as operators, for tests alone.
#include <torch/library.h>

#include "lif_emulate.h"
#include "lif_tensors.h"

namespace spikedhs {
namespace {

LifResult lif_emulated(const at::Tensor &current, const at::Tensor &temperature,
                       double tau, double threshold, int64_t steps,
                       const optional<at::Tensor> &membrane, bool keep_membrane,
                       int64_t surrogate, const optional<at::Tensor> &table) {
  return lif_forward_tensors<kForDevice>(
      current, temperature, tau, threshold, steps, membrane, keep_membrane,
      surrogate, table, [](const auto &p) { lif_emulate(p); });
}

LifResult lif_backward_emulated(
    const at::Tensor &grad_spikes, const optional<at::Tensor> &grad_membrane,
    const at::Tensor &current, const at::Tensor &temperature, double tau,
    double threshold, int64_t steps, const optional<at::Tensor> &membrane,
    int64_t surrogate, const optional<at::Tensor> &table) {
  return lif_backward_tensors<kForDevice>(
      grad_spikes, grad_membrane, current, temperature, tau, threshold, steps,
      membrane, surrogate, table, [](const auto &p) { lif_emulate(p); });
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, library) {
  library.def(
      "lif_emulated(Tensor current, Tensor temperature, float tau, "
      "float threshold, int steps, Tensor? membrane=None, "
      "bool keep_membrane=False, int surrogate=0, Tensor? table=None) -> "
      "(Tensor spikes, Tensor membrane_out)");
  library.def(
      "lif_backward_emulated(Tensor grad_spikes, Tensor? grad_membrane, "
      "Tensor current, Tensor temperature, float tau, float threshold, "
      "int steps, Tensor? membrane, int surrogate=0, Tensor? table=None) -> "
      "(Tensor grad_current, Tensor grad_membrane_in)");
}

TORCH_LIBRARY_IMPL(spikedhs, CPU, library) {
  library.impl("lif_emulated", &spikedhs::lif_emulated);
  library.impl("lif_backward_emulated", &spikedhs::lif_backward_emulated);
}
