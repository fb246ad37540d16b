// The CUDA kernels of the LIF scan, thread by thread on the CPU, with the
// choice of lanes and compiled T, the tables and the memory layout of a GPU.
#pragma once

#include <type_traits>
#include <vector>

#include "lif_launch.h"

namespace spikedhs {

template <int kSteps, int kLanes, typename Scalar, typename Real>
void lif_emulate_kernel(const LifForward<Scalar, Real> &p) {
  for (int64_t first = 0; first < p.neurons; first += kLanes) {
    lif_forward_thread<kSteps, kLanes>(p, first);
  }
}

template <int kSteps, bool kExact, int kLanes, typename Scalar, typename Real>
void lif_emulate_kernel(const LifBackward<Scalar, Real> &p) {
  struct alignas(kPackBytes) Bytes {
    unsigned char bytes[kPackBytes];
  };
  std::vector<Bytes> shared(2 * p.channels * sizeof(Real) / kPackBytes + 1);
  Real *table = nullptr;
  if (lif_wants_table(p, kLanes)) {
    table = reinterpret_cast<Real *>(shared.data());
    for (int thread = 0; thread < kLifThreads; thread++) {
      lif_fill_table<kAnyFamily>(p, table, thread, kLifThreads);
    }
  }
  for (int64_t first = 0; first < p.neurons; first += kLanes) {
    lif_backward_thread<kAnyFamily, kSteps, kExact, kLanes>(
        p, static_cast<const Real *>(table), first);
  }
}

// Calls run(n) with the number of steps that is compiled in, 0 where none is,
// as a constant.
template <typename Run>
void lif_with_steps(int steps, const Run &run) {
  switch (steps) {
#define SPIKEDHS_STEPS(n) \
  case n:                 \
    return run(std::integral_constant<int, n>())
    SPIKEDHS_STEPS(1);
    SPIKEDHS_STEPS(2);
    SPIKEDHS_STEPS(3);
    SPIKEDHS_STEPS(4);
    SPIKEDHS_STEPS(5);
    SPIKEDHS_STEPS(6);
    SPIKEDHS_STEPS(7);
    SPIKEDHS_STEPS(8);
#undef SPIKEDHS_STEPS
    default:
      return run(std::integral_constant<int, 0>());
  }
}

template <typename Scalar, typename Real>
void emulate(const LifForward<Scalar, Real> &p) {
  const LifVersion version = lif_version(p);
  if (version.lanes == 1) return lif_emulate_kernel<0, 1>(p);
  lif_with_steps(version.steps, [&](auto steps) {
    lif_emulate_kernel<decltype(steps)::value, kLifLanes<Scalar>>(p);
  });
}

template <typename Scalar, typename Real>
void emulate(const LifBackward<Scalar, Real> &p) {
  constexpr int kLanes = kLifLanes<Scalar>;
  const LifVersion version = lif_version(p);
  if (version.lanes == 1) return lif_emulate_kernel<kLifWindow, false, 1>(p);
  lif_with_steps(version.steps, [&](auto steps) {
    constexpr int kSteps = decltype(steps)::value;
    if constexpr (kSteps > 0) {
      lif_emulate_kernel<kSteps, true, kLanes>(p);
    } else {
      lif_emulate_kernel<kLifWindow, false, kLanes / 2>(p);
    }
  });
}

}  // namespace spikedhs
