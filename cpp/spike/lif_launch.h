// Which version of the LIF kernels runs: how many lanes a thread, and whether T
// is compiled in. kernel_device.cc launches it, lif_emulate.h emulates it.
#pragma once

#include "instance_names.h"
#include "lif_thread.h"

namespace spikedhs {

constexpr int kLifMostSteps = 8;  // the largest T that is compiled in

template <typename Scalar>
constexpr int kLifLanes = kPackBytes / sizeof(Scalar);

inline bool lif_aligned(const void *pointer) {
  return reinterpret_cast<uintptr_t>(pointer) % kPackBytes == 0;
}

inline bool lif_packs(const LifRows &rows, int lanes) {
  return rows.row % lanes == 0 && rows.pitch % lanes == 0;
}

// Packs of a step must not straddle the next step's, and every pointer must
// allow wide access; a NULL pointer is never used.
template <typename Scalar, typename Real>
bool lif_packs(const LifForward<Scalar, Real> &p, int lanes) {
  return p.neurons % lanes == 0 && lif_aligned(p.current) &&
         lif_packs(p.current_rows, lanes) && lif_aligned(p.spikes) &&
         lif_aligned(p.start) && lif_aligned(p.last);
}

template <typename Scalar, typename Real>
bool lif_packs(const LifBackward<Scalar, Real> &p, int lanes) {
  return p.neurons % lanes == 0 && lif_aligned(p.current) &&
         lif_packs(p.current_rows, lanes) && lif_aligned(p.grad_spikes) &&
         lif_packs(p.grad_rows, lanes) && lif_aligned(p.grad_current) &&
         lif_aligned(p.start) && lif_aligned(p.grad_last) &&
         lif_aligned(p.grad_start) && lif_aligned(p.checkpoints);
}

// For T steps, and for neurons that allow packs or do not.
inline LifVersion lif_forward_version(int64_t steps, int lanes, bool packs) {
  if (!packs) return {0, false, 1};
  if (steps > kLifMostSteps) return {0, false, lanes};
  return {static_cast<int>(steps), true, lanes};
}

// Beyond the T that are compiled in a thread takes half the lanes, since the
// membranes of a window are in registers.
inline LifVersion lif_backward_version(int64_t steps, int lanes, bool packs) {
  if (!packs) return {kLifWindow, false, 1};
  if (steps > kLifMostSteps) return {kLifWindow, false, lanes / 2};
  return {static_cast<int>(steps), true, lanes};
}

template <typename Scalar, typename Real>
LifVersion lif_version(const LifForward<Scalar, Real> &p) {
  constexpr int kLanes = kLifLanes<Scalar>;
  return lif_forward_version(p.steps, kLanes, lif_packs(p, kLanes));
}

template <typename Scalar, typename Real>
LifVersion lif_version(const LifBackward<Scalar, Real> &p) {
  constexpr int kLanes = kLifLanes<Scalar>;
  return lif_backward_version(p.steps, kLanes, lif_packs(p, kLanes));
}

template <typename Scalar, typename Real>
KernelCall kernel_call(const LifForward<Scalar, Real> &p) {
  const LifVersion version = lif_version(p);
  return {lif_forward_instance(version, element_of(Scalar{})),
          grid_of(p.neurons, kLifThreads, version.lanes)};
}

template <typename Scalar, typename Real>
KernelCall kernel_call(const LifBackward<Scalar, Real> &p) {
  const LifVersion version = lif_version(p);
  const int64_t shared =
      lif_wants_table(p, version.lanes) ? 2 * p.channels * sizeof(Real) : 0;
  return {lif_backward_instance(version, static_cast<int>(p.family),
                                element_of(Scalar{})),
          grid_of(p.neurons, kLifThreads, version.lanes, shared)};
}

}  // namespace spikedhs
