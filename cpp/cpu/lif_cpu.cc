// The LIF scan on the CPU: neurons are shared out among the threads.
#include <ATen/ATen.h>
#include <torch/library.h>

#include <vector>

#include "dispatch.h"
#include "divide.h"
#include "lif.h"
#include "lif_kernels.h"
#include "lif_tensors.h"
#include "share.h"

namespace spikedhs {

using LifFloat = LifKernels<float, float>;
using LifDouble = LifKernels<double, double>;
using LifBfloat16 = LifKernels<Bf16, float>;
SPIKEDHS_DISPATCH(const LifFloat &, lif_float)
SPIKEDHS_DISPATCH(const LifDouble &, lif_double)
SPIKEDHS_DISPATCH(const LifBfloat16 &, lif_bfloat16)

template <>
const LifKernels<float, float> &lif_kernels() {
  return lif_float();
}
template <>
const LifKernels<double, double> &lif_kernels() {
  return lif_double();
}
template <>
const LifKernels<Bf16, float> &lif_kernels() {
  return lif_bfloat16();
}

namespace {

constexpr int64_t kGrain = 32 * kLifBlock;  // neurons at a time

// Spikes of four bytes and more are written past the caches if there are more
// of them than this: they would not fit anyway. Half as wide ones, and the
// gradients of the backward pass, which computes meanwhile, are faster without.
constexpr int64_t kStreamBytes = int64_t{64} << 20;

// How far a polynomial may be from Dspike's derivative, as a share of its
// largest value: what the formula in floats loses itself, and an eighth of what
// a gradient in sixteen bits is rounded by.
constexpr double kFloatTolerance = 3e-7;
constexpr double kBf16Tolerance = 5e-4;

// body(first, last, scratch) for all neurons, in whole blocks; a thread has
// `numbers` numbers of scratch memory.
template <typename Real, typename Body>
void for_neurons(int64_t neurons, int64_t numbers, Body body) {
  share(divide_up(neurons, kGrain), [&](Pieces &pieces) {
    std::vector<Real> scratch(numbers);
    for (int64_t piece; pieces.take(piece);) {
      body(piece * kGrain, std::min(neurons, (piece + 1) * kGrain),
           scratch.data());
    }
  });
}

struct Forward {
  template <typename Scalar, typename Real>
  void operator()(const LifForward<Scalar, Real> &p) const {
    const auto &kernels = lif_kernels<Scalar, Real>();
    const bool stream =
        sizeof(Scalar) >= 4 &&
        p.neurons * p.steps * int64_t{sizeof(Scalar)} > kStreamBytes;
    for_neurons<Real>(p.neurons, 0, [&](int64_t first, int64_t last, Real *) {
      kernels.forward(p, first, last, stream);
    });
  }
};

struct Backward {
  template <typename Scalar, typename Real>
  void operator()(const LifBackward<Scalar, Real> &p) const {
    const auto &kernels = lif_kernels<Scalar, Real>();
    const DerivativeTable<double> sizes{nullptr, p.table.rows, p.table.columns};
    std::vector<Real> factor(p.channels);
    [[maybe_unused]] DspikePolynomial polynomial;
    for (int64_t c = 0; c < p.channels; c++) {
      const auto b = static_cast<double>(p.temperature[c]);
      factor[c] = static_cast<Real>(surrogate_factor(p.family, b, sizes));
    }
    auto *work = kernels.backward[static_cast<int>(p.family)];
    const Real *numbers = factor.data();
    if constexpr (sizeof(Real) == sizeof(float)) {
      if (p.family == Family::kDspike && p.channels == 1) {
        polynomial = fit_dspike(p.temperature[0], sizeof(Scalar) == sizeof(Real)
                                                      ? kFloatTolerance
                                                      : kBf16Tolerance);
        if (polynomial.fit >= 0) {
          work = kernels.dspike[polynomial.fit];
          numbers = polynomial.coefficients;
        }
      }
    }
    for_neurons<Real>(p.neurons, p.steps * kLifBlock,
                      [&](int64_t first, int64_t last, Real *scratch) {
                        work(p, p.temperature, numbers, first, last, scratch);
                      });
  }
};

LifResult lif_cpu(const at::Tensor &current, const at::Tensor &temperature,
                  double tau, double threshold, int64_t steps,
                  const optional<at::Tensor> &membrane, bool keep_membrane,
                  int64_t surrogate, const optional<at::Tensor> &table) {
  if (!wanted(Kernels::lif)) {
    return lif_composed(current, temperature, tau, threshold, steps, membrane,
                        keep_membrane, surrogate, table);
  }
  return lif_forward_tensors<kForCpu>(current, temperature, tau, threshold,
                                      steps, membrane, keep_membrane, surrogate,
                                      table, Forward{});
}

LifResult lif_backward_cpu(
    const at::Tensor &grad_spikes, const optional<at::Tensor> &grad_membrane,
    const at::Tensor &current, const at::Tensor &temperature, double tau,
    double threshold, int64_t steps, const optional<at::Tensor> &membrane,
    int64_t surrogate, const optional<at::Tensor> &table) {
  if (!wanted(Kernels::lif)) {
    return lif_backward_composed(grad_spikes, grad_membrane, current,
                                 temperature, tau, threshold, steps, membrane,
                                 surrogate, table);
  }
  return lif_backward_tensors<kForCpu>(grad_spikes, grad_membrane, current,
                                       temperature, tau, threshold, steps,
                                       membrane, surrogate, table, Backward{});
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_IMPL(spikedhs, CPU, library) {
  library.impl("lif", &spikedhs::lif_cpu);
  library.impl("lif_backward", &spikedhs::lif_backward_cpu);
}
