// What one GPU thread does in the LIF scan.
//
// The kernels of lif.cu call these functions, and so does lif_emulated.cc on
// the CPU, thread by thread, so that they are tested where there is no GPU.
//
// A thread owns kLanes neighbouring neurons for all T steps and reads them with
// one wide load a step. Bytes that move are those of the CPU kernels: a current
// and a spike forward; a current, a gradient in and a gradient out backward.
// The loads of all steps come before any arithmetic, since none waits for
// another and a GPU hides their latency only when they are many.
#pragma once

#include "lif_step.h"

// Arrays that a thread indexes stay in registers only where loops are unrolled.
#if defined(__CUDA_ARCH__)
#define SPIKEDHS_UNROLL _Pragma("unroll")
#else
#define SPIKEDHS_UNROLL
#endif

namespace spikedhs {

// kLanes values that are read or written at once; a pack starts at a multiple
// of its size, up to the 16 bytes that a thread can move in one instruction.
template <typename Scalar, int kLanes>
struct alignas(sizeof(Scalar) * kLanes < 16 ? sizeof(Scalar) * kLanes
                                            : 16) Pack {
  Scalar lane[kLanes];
};

template <int kLanes, typename Scalar>
SPIKEDHS_INLINE Pack<Scalar, kLanes> load_pack(const Scalar *from) {
  return *reinterpret_cast<const Pack<Scalar, kLanes> *>(from);
}

template <int kLanes, typename Scalar>
SPIKEDHS_INLINE void store_pack(Scalar *to, const Pack<Scalar, kLanes> &pack) {
  *reinterpret_cast<Pack<Scalar, kLanes> *>(to) = pack;
}

// A spike is 1 or 0 in every type; nothing has to be rounded.
SPIKEDHS_INLINE void store_spike(float *to, bool fired) {
  *to = fired ? 1.0f : 0.0f;
}
SPIKEDHS_INLINE void store_spike(double *to, bool fired) {
  *to = fired ? 1.0 : 0.0;
}
SPIKEDHS_INLINE void store_spike(Bf16 *to, bool fired) {
  to->bits = fired ? 0x3f80 : 0;
}

// Dimension 0 of the tensors is steps * batch, time slowest, so the distance
// from a step to the next is the number of neurons. States may be NULL: zero at
// the start, not wanted at the end.
template <typename Scalar, typename Real>
struct LifForward {
  const Scalar *current;
  Scalar *spikes;
  const Real *start;
  Real *last;
  int64_t neurons, steps;
  Real tau, vth;
};

// The channel of neuron i is (i / run) % channels.
template <typename Scalar, typename Real>
struct LifBackward {
  const Scalar *current;
  const Scalar *grad_spikes;
  Scalar *grad_current;
  const Real *start;
  const Real *grad_last;
  Real *grad_start;
  Family family;
  DerivativeTable<Real> table;  // of Family::kTable
  const Real *temperature;
  int64_t channels, run;
  Real *checkpoints;  // ceil(steps / kLifWindow) * neurons; see lif_checkpoints
  int64_t neurons, steps;
  Real tau, vth;
};

// The membranes that a thread keeps at a time where T is not compiled in.
constexpr int kLifWindow = 16;

// How many windows' first membranes LifBackward::checkpoints has to hold.
SPIKEDHS_INLINE int64_t lif_checkpoints(int64_t steps) {
  return steps <= kLifWindow ? 0 : (steps + kLifWindow - 1) / kLifWindow;
}

template <int kLanes, typename Real>
SPIKEDHS_INLINE void load_state(const Real *from, int64_t first, Real *v) {
  if (from == nullptr) {
    for (int i = 0; i < kLanes; i++) v[i] = Real(0);
    return;
  }
  const auto pack = load_pack<kLanes>(from + first);
  for (int i = 0; i < kLanes; i++) v[i] = pack.lane[i];
}

template <int kLanes, typename Real>
SPIKEDHS_INLINE void store_state(Real *to, int64_t first, const Real *v) {
  Pack<Real, kLanes> pack;
  for (int i = 0; i < kLanes; i++) pack.lane[i] = v[i];
  store_pack<kLanes>(to + first, pack);
}

// One step: spikes of the lanes, and their membranes after the reset.
template <int kLanes, typename Scalar, typename Real>
SPIKEDHS_INLINE Pack<Scalar, kLanes> lif_fire(const Pack<Scalar, kLanes> &in,
                                              Real tau, Real vth, Real *v) {
  Pack<Scalar, kLanes> out;
  SPIKEDHS_UNROLL
  for (int i = 0; i < kLanes; i++) {
    const Real u = lif_charge(v[i], load(in.lane[i]), tau);
    const bool fired = u > vth;
    store_spike(&out.lane[i], fired);
    v[i] = fired ? Real(0) : u;
  }
  return out;
}

// kSteps is T, or 0 where T is only known at run time.
template <int kSteps, int kLanes, typename Scalar, typename Real>
SPIKEDHS_INLINE void lif_forward_thread(const LifForward<Scalar, Real> &p,
                                        int64_t first) {
  Real v[kLanes];
  load_state<kLanes>(p.start, first, v);
  const Scalar *current = p.current + first;
  Scalar *spikes = p.spikes + first;
  if constexpr (kSteps > 0) {
    Pack<Scalar, kLanes> in[kSteps];
    SPIKEDHS_UNROLL
    for (int t = 0; t < kSteps; t++) {
      in[t] = load_pack<kLanes>(current + t * p.neurons);
    }
    SPIKEDHS_UNROLL
    for (int t = 0; t < kSteps; t++) {
      store_pack<kLanes>(spikes + t * p.neurons,
                         lif_fire<kLanes>(in[t], p.tau, p.vth, v));
    }
  } else {
    for (int64_t t = 0; t < p.steps; t++) {
      const auto in = load_pack<kLanes>(current + t * p.neurons);
      store_pack<kLanes>(spikes + t * p.neurons,
                         lif_fire<kLanes>(in, p.tau, p.vth, v));
    }
  }
  if (p.last != nullptr) store_state<kLanes>(p.last, first, v);
}

// Whether the lanes of a thread belong to several channels, which makes it
// worth while that the threads of a block share the factors of all channels.
template <int kLanes, typename Scalar, typename Real>
SPIKEDHS_INLINE bool lif_lanes_differ(const LifBackward<Scalar, Real> &p) {
  return p.channels > 1 && p.run % kLanes != 0;
}

// Dspike, which nearly everybody uses, is compiled by itself; the other
// families share a version that asks for the family at every derivative.
template <bool kDspike, typename Scalar, typename Real>
SPIKEDHS_INLINE Real lif_factor(const LifBackward<Scalar, Real> &p, Real b) {
  const Family family = kDspike ? Family::kDspike : p.family;
  return surrogate_factor(family, b, p.table);
}

template <bool kDspike, typename Scalar, typename Real>
SPIKEDHS_INLINE Real lif_slope(const LifBackward<Scalar, Real> &p, Real u,
                               Real b, Real factor) {
  const Family family = kDspike ? Family::kDspike : p.family;
  return surrogate_derivative(family, u, p.vth, b, factor, p.table);
}

// The share of one thread in the block's table: temperatures, then factors.
template <bool kDspike, typename Scalar, typename Real>
SPIKEDHS_INLINE void lif_fill_table(const LifBackward<Scalar, Real> &p,
                                    Real *table, int thread, int threads) {
  for (int64_t c = thread; c < p.channels; c += threads) {
    const Real b = p.temperature[c];
    table[c] = b;
    table[p.channels + c] = lif_factor<kDspike>(p, b);
  }
}

// Temperature and factor of each lane; table is NULL where there is none.
template <bool kDspike, int kLanes, typename Scalar, typename Real>
SPIKEDHS_INLINE void lif_temperatures(const LifBackward<Scalar, Real> &p,
                                      const Real *table, int64_t first, Real *b,
                                      Real *factor) {
  int64_t c = 0, place = 0;  // channel, and place of the first lane in its run
  if (p.channels > 1) {
    if (p.neurons <= 0xffffffffLL) {  // half as wide, a fraction of the time
      const uint32_t i = static_cast<uint32_t>(first);
      const uint32_t run = static_cast<uint32_t>(p.run);
      c = (i / run) % static_cast<uint32_t>(p.channels);
      place = i % run;
    } else {
      c = (first / p.run) % p.channels;
      place = first % p.run;
    }
  }
  if (!lif_lanes_differ<kLanes>(p)) {
    const Real one = p.temperature[c], its = lif_factor<kDspike>(p, one);
    SPIKEDHS_UNROLL
    for (int i = 0; i < kLanes; i++) {
      b[i] = one;
      factor[i] = its;
    }
    return;
  }
  if (table != nullptr && p.run == 1 && p.channels % kLanes == 0) {
    const auto some = load_pack<kLanes>(table + c);
    const auto factors = load_pack<kLanes>(table + p.channels + c);
    SPIKEDHS_UNROLL
    for (int i = 0; i < kLanes; i++) {
      b[i] = some.lane[i];
      factor[i] = factors.lane[i];
    }
    return;
  }
  SPIKEDHS_UNROLL
  for (int i = 0; i < kLanes; i++) {
    b[i] = table != nullptr ? table[c] : p.temperature[c];
    factor[i] =
        table != nullptr ? table[p.channels + c] : lif_factor<kDspike>(p, b[i]);
    if (++place == p.run) {
      place = 0;
      if (++c == p.channels) c = 0;
    }
  }
}

// The backward scan over the steps begin..begin+count, where v holds the
// membranes before them and grad_v the gradient of those after them, replaced
// by that of those before. kExact: count is kSteps.
template <bool kDspike, int kSteps, bool kExact, int kLanes, typename Scalar,
          typename Real>
SPIKEDHS_INLINE void lif_backward_window(const LifBackward<Scalar, Real> &p,
                                         int64_t first, int64_t begin,
                                         int count, const Real *b,
                                         const Real *factor, Real *v,
                                         Real *grad_v) {
  const int64_t offset = begin * p.neurons + first;
  const Scalar *current = p.current + offset;
  const Scalar *grad_spikes = p.grad_spikes + offset;
  Scalar *grad_current = p.grad_current + offset;
  Pack<Scalar, kLanes> in[kSteps] = {}, grad_in[kSteps] = {};
  Real u[kSteps][kLanes];
  SPIKEDHS_UNROLL
  for (int t = 0; t < kSteps; t++) {
    if (kExact || t < count) {
      in[t] = load_pack<kLanes>(current + t * p.neurons);
      grad_in[t] = load_pack<kLanes>(grad_spikes + t * p.neurons);
    }
  }
  SPIKEDHS_UNROLL
  for (int t = 0; t < kSteps; t++) {
    if (kExact || t < count) {
      SPIKEDHS_UNROLL
      for (int i = 0; i < kLanes; i++) {
        u[t][i] = lif_charge(v[i], load(in[t].lane[i]), p.tau);
        v[i] = u[t][i] > p.vth ? Real(0) : u[t][i];
      }
    }
  }
  SPIKEDHS_UNROLL
  for (int t = kSteps - 1; t >= 0; t--) {
    if (kExact || t < count) {
      Pack<Scalar, kLanes> out;
      SPIKEDHS_UNROLL
      for (int i = 0; i < kLanes; i++) {
        const Real slope = lif_slope<kDspike>(p, u[t][i], b[i], factor[i]);
        const Real grad_u =
            lif_grad_membrane(u[t][i], u[t][i] > p.vth,
                              load(grad_in[t].lane[i]), grad_v[i], slope);
        store(&out.lane[i], grad_u);
        grad_v[i] = p.tau * grad_u;
      }
      store_pack<kLanes>(grad_current + t * p.neurons, out);
    }
  }
}

// kExact: T is kSteps. Else a thread goes through windows of kSteps steps from
// the last to the first; the membranes at their beginnings come from a first
// pass forward and wait in `checkpoints`.
template <bool kDspike, int kSteps, bool kExact, int kLanes, typename Scalar,
          typename Real>
SPIKEDHS_INLINE void lif_backward_thread(const LifBackward<Scalar, Real> &p,
                                         const Real *table, int64_t first) {
  Real b[kLanes], factor[kLanes], v[kLanes], grad_v[kLanes];
  lif_temperatures<kDspike, kLanes>(p, table, first, b, factor);
  load_state<kLanes>(p.start, first, v);
  load_state<kLanes>(p.grad_last, first, grad_v);
  if (kExact || p.steps <= kSteps) {
    lif_backward_window<kDspike, kSteps, kExact, kLanes>(
        p, first, 0, static_cast<int>(p.steps), b, factor, v, grad_v);
  } else {
    const int64_t windows = (p.steps + kSteps - 1) / kSteps;
    for (int64_t w = 0; w < windows; w++) {
      store_state<kLanes>(p.checkpoints + w * p.neurons, first, v);
      if (w == windows - 1) break;
      for (int64_t t = w * kSteps; t < (w + 1) * kSteps; t++) {
        const auto in = load_pack<kLanes>(p.current + t * p.neurons + first);
        lif_fire<kLanes>(in, p.tau, p.vth, v);
      }
    }
    for (int64_t w = windows - 1; w >= 0; w--) {
      load_state<kLanes>(p.checkpoints + w * p.neurons, first, v);
      const int64_t left = p.steps - w * kSteps;
      lif_backward_window<kDspike, kSteps, false, kLanes>(
          p, first, w * kSteps, static_cast<int>(left < kSteps ? left : kSteps),
          b, factor, v, grad_v);
    }
  }
  if (p.grad_start != nullptr) store_state<kLanes>(p.grad_start, first, grad_v);
}

}  // namespace spikedhs
