// The CUDA kernels of the LIF scan, run thread by thread on the CPU: operators
// for tests alone, which thus reach the code that a GPU would run, with its
// choice of lanes and compiled T, its tables and its memory layout.
#include <torch/library.h>

#include <vector>

#include "lif_tensors.h"

namespace spikedhs {
namespace {

struct Emulate {
  template <int kSteps, int kLanes, typename Scalar, typename Real>
  void forward(const LifForward<Scalar, Real> &p) const {
    for (int64_t first = 0; first < p.neurons; first += kLanes) {
      lif_forward_thread<kSteps, kLanes>(p, first);
    }
  }

  template <int kSteps, bool kExact, int kLanes, typename Scalar, typename Real>
  void backward(const LifBackward<Scalar, Real> &p) const {
    if (p.family == Family::kDspike) {
      run<true, kSteps, kExact, kLanes>(p);
    } else {
      run<false, kSteps, kExact, kLanes>(p);
    }
  }

  template <bool kDspike, int kSteps, bool kExact, int kLanes, typename Scalar,
            typename Real>
  void run(const LifBackward<Scalar, Real> &p) const {
    struct alignas(16) Bytes16 {
      unsigned char bytes[16];
    };
    std::vector<Bytes16> shared(2 * p.channels * sizeof(Real) / 16 + 1);
    Real *table = nullptr;
    if (lif_wants_table<kLanes>(p)) {
      table = reinterpret_cast<Real *>(shared.data());
      for (int thread = 0; thread < kLifThreads; thread++) {
        lif_fill_table<kDspike>(p, table, thread, kLifThreads);
      }
    }
    for (int64_t first = 0; first < p.neurons; first += kLanes) {
      lif_backward_thread<kDspike, kSteps, kExact, kLanes>(
          p, static_cast<const Real *>(table), first);
    }
  }
};

LifResult lif_emulated(const at::Tensor &current, const at::Tensor &temperature,
                       double tau, double threshold, int64_t steps,
                       const optional<at::Tensor> &membrane, bool keep_membrane,
                       int64_t surrogate, const optional<at::Tensor> &table) {
  return lif_forward_tensors(
      current, temperature, tau, threshold, steps, membrane, keep_membrane,
      surrogate, table,
      [](const auto &p) { lif_choose_forward(p, Emulate{}); });
}

LifResult lif_backward_emulated(
    const at::Tensor &grad_spikes, const optional<at::Tensor> &grad_membrane,
    const at::Tensor &current, const at::Tensor &temperature, double tau,
    double threshold, int64_t steps, const optional<at::Tensor> &membrane,
    int64_t surrogate, const optional<at::Tensor> &table) {
  return lif_backward_tensors(
      grad_spikes, grad_membrane, current, temperature, tau, threshold, steps,
      membrane, surrogate, table,
      [](const auto &p) { lif_choose_backward(p, Emulate{}); });
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
