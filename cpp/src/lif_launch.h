// Which version of the LIF kernels runs: how many lanes a thread, and whether T
// is compiled in. lif.cu and lif_emulated.cc choose by the same functions.
#pragma once

#include "lif_thread.h"

namespace spikedhs {

constexpr int kLifThreads = 128;       // of a block
constexpr int64_t kLifTable = 1024;    // channels that a block's table can hold
constexpr int64_t kLifPackBytes = 16;  // of one load

// NULL, or what the CUDA runtime said. `stream` is a cudaStream_t.
const char *launch_lif_forward(const LifForward<float, float> &p, void *stream);
const char *launch_lif_forward(const LifForward<double, double> &p,
                               void *stream);
const char *launch_lif_forward(const LifForward<Bf16, float> &p, void *stream);
const char *launch_lif_backward(const LifBackward<float, float> &p,
                                void *stream);
const char *launch_lif_backward(const LifBackward<double, double> &p,
                                void *stream);
const char *launch_lif_backward(const LifBackward<Bf16, float> &p,
                                void *stream);

inline bool lif_aligned(const void *pointer) {
  return reinterpret_cast<uintptr_t>(pointer) % kLifPackBytes == 0;
}

// Packs of a step must not straddle the next step's, and every pointer must
// allow wide access; a NULL pointer is never used.
template <typename Scalar, typename Real>
bool lif_packs(const LifForward<Scalar, Real> &p, int lanes) {
  return p.neurons % lanes == 0 && lif_aligned(p.current) &&
         lif_aligned(p.spikes) && lif_aligned(p.start) && lif_aligned(p.last);
}

template <typename Scalar, typename Real>
bool lif_packs(const LifBackward<Scalar, Real> &p, int lanes) {
  return p.neurons % lanes == 0 && lif_aligned(p.current) &&
         lif_aligned(p.grad_spikes) && lif_aligned(p.grad_current) &&
         lif_aligned(p.start) && lif_aligned(p.grad_last) &&
         lif_aligned(p.grad_start) && lif_aligned(p.checkpoints);
}

template <int kLanes, typename Scalar, typename Real>
bool lif_wants_table(const LifBackward<Scalar, Real> &p) {
  return lif_lanes_differ<kLanes>(p) && p.channels <= kLifTable;
}

// Calls launch.forward<kSteps, kLanes>(p).
template <typename Scalar, typename Real, typename Launch>
void lif_choose_forward(const LifForward<Scalar, Real> &p,
                        const Launch &launch) {
  constexpr int kLanes = kLifPackBytes / sizeof(Scalar);
  if (p.neurons == 0) return;
  if (!lif_packs(p, kLanes)) return launch.template forward<0, 1>(p);
  switch (p.steps) {
    case 1:
      return launch.template forward<1, kLanes>(p);
    case 2:
      return launch.template forward<2, kLanes>(p);
    case 3:
      return launch.template forward<3, kLanes>(p);
    case 4:
      return launch.template forward<4, kLanes>(p);
    case 5:
      return launch.template forward<5, kLanes>(p);
    case 6:
      return launch.template forward<6, kLanes>(p);
    case 7:
      return launch.template forward<7, kLanes>(p);
    case 8:
      return launch.template forward<8, kLanes>(p);
    default:
      return launch.template forward<0, kLanes>(p);
  }
}

// Calls launch.backward<kSteps, kExact, kLanes>(p). Beyond 8 steps a thread
// takes half the lanes, since the membranes of a window are in registers.
template <typename Scalar, typename Real, typename Launch>
void lif_choose_backward(const LifBackward<Scalar, Real> &p,
                         const Launch &launch) {
  constexpr int kLanes = kLifPackBytes / sizeof(Scalar);
  if (p.neurons == 0) return;
  if (!lif_packs(p, kLanes)) {
    return launch.template backward<kLifWindow, false, 1>(p);
  }
  switch (p.steps) {
    case 1:
      return launch.template backward<1, true, kLanes>(p);
    case 2:
      return launch.template backward<2, true, kLanes>(p);
    case 3:
      return launch.template backward<3, true, kLanes>(p);
    case 4:
      return launch.template backward<4, true, kLanes>(p);
    case 5:
      return launch.template backward<5, true, kLanes>(p);
    case 6:
      return launch.template backward<6, true, kLanes>(p);
    case 7:
      return launch.template backward<7, true, kLanes>(p);
    case 8:
      return launch.template backward<8, true, kLanes>(p);
    default:
      return launch.template backward<kLifWindow, false, kLanes / 2>(p);
  }
}

}  // namespace spikedhs
