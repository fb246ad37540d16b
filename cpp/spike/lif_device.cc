// The LIF operator on accelerators: kernels of lif.cu, or the composed
// operators where they cannot be had.
#include "launch.h"

#ifdef SPIKEDHS_DEVICE_OPERATORS

#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "lif_emulate.h"
#include "lif_tensors.h"

namespace spikedhs {
namespace {

void check_device(const char *what, const optional<at::Tensor> &t,
                  const at::Tensor &current) {
  TORCH_CHECK(!lif_present(t) || t->device() == current.device(), "lif: the ",
              what, " is on ", t->device(), ", the current on ",
              current.device());
}

constexpr auto kEmulate = [](const auto &p) { lif_emulate(p); };

template <typename Scalar, typename Real>
bool launch_lif(c10::Device device, const LifForward<Scalar, Real> &p) {
  const LifVersion version = lif_version(p);
  return launch(device, "lif",
                lif_forward_instance(version, element_of(Scalar{})),
                grid_of(p.neurons, kLifThreads, version.lanes), p, kEmulate);
}

template <typename Scalar, typename Real>
bool launch_lif(c10::Device device, const LifBackward<Scalar, Real> &p) {
  const LifVersion version = lif_version(p);
  const int64_t shared =
      lif_wants_table(p, version.lanes) ? 2 * p.channels * sizeof(Real) : 0;
  return launch(device, "lif_backward",
                lif_backward_instance(version, static_cast<int>(p.family),
                                      element_of(Scalar{})),
                grid_of(p.neurons, kLifThreads, version.lanes, shared), p,
                kEmulate);
}

LifResult lif_device(const at::Tensor &current, const at::Tensor &temperature,
                     double tau, double threshold, int64_t steps,
                     const optional<at::Tensor> &membrane, bool keep_membrane,
                     int64_t surrogate, const optional<at::Tensor> &table) {
  const c10::DeviceGuard guard(current.device());
  check_device("membrane state", membrane, current);
  bool launched = kernels_ready(current.device());
  if (launched) {
    LifResult result = lif_forward_tensors<kForDevice>(
        current, temperature, tau, threshold, steps, membrane, keep_membrane,
        surrogate, table,
        [&](const auto &p) { launched = launch_lif(current.device(), p); });
    if (launched) return result;
  }
  return lif_composed(current, temperature, tau, threshold, steps, membrane,
                      keep_membrane, surrogate, table);
}

LifResult lif_backward_device(
    const at::Tensor &grad_spikes, const optional<at::Tensor> &grad_membrane,
    const at::Tensor &current, const at::Tensor &temperature, double tau,
    double threshold, int64_t steps, const optional<at::Tensor> &membrane,
    int64_t surrogate, const optional<at::Tensor> &table) {
  const c10::DeviceGuard guard(current.device());
  check_device("gradient of the spikes", grad_spikes, current);
  check_device("gradient of the membrane", grad_membrane, current);
  check_device("membrane state", membrane, current);
  bool launched = kernels_ready(current.device());
  if (launched) {
    LifResult result = lif_backward_tensors<kForDevice>(
        grad_spikes, grad_membrane, current, temperature, tau, threshold, steps,
        membrane, surrogate, table,
        [&](const auto &p) { launched = launch_lif(current.device(), p); });
    if (launched) return result;
  }
  return lif_backward_composed(grad_spikes, grad_membrane, current, temperature,
                               tau, threshold, steps, membrane, surrogate,
                               table);
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_IMPL(spikedhs, SPIKEDHS_ACCELERATOR_KEY, library) {
  library.impl("lif", &spikedhs::lif_device);
  library.impl("lif_backward", &spikedhs::lif_backward_device);
}

#endif  // SPIKEDHS_DEVICE_OPERATORS
