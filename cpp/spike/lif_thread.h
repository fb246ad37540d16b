// What one GPU thread does in the LIF scan: eq. 1 forward, eq. 2 backward.
//
// The kernels of lif.cu call these functions, and so does lif_emulate.h on
// the CPU, thread by thread, so that they are tested where there is no GPU.
//
// A thread owns kLanes neighbouring neurons for all T steps and reads them with
// one wide load a step. Bytes that move are those of the CPU kernels: a current
// and a spike forward; a current, a gradient in and a gradient out backward.
// The loads of all steps come before any arithmetic, since none waits for
// another and a GPU hides their latency only when they are many.
#pragma once

#include "pack.h"

namespace spikedhs {

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
SPIKEDHS_INLINE void store_spike(Fp16 *to, bool fired) {
  to->bits = fired ? 0x3c00 : 0;
}

constexpr int kLifThreads = 128;     // of a block
constexpr int64_t kLifTable = 1024;  // channels that a block's table can hold

// Where the numbers of an input lie: in rows of `row` neighbours, `pitch`
// apart, as in a slice of another tensor's channels, and `step` from one time
// step to the next. Row 0: all are neighbours, and `step` is the number of
// neurons.
struct LifRows {
  int64_t row, pitch, step;
};

// Dimension 0 of the tensors is steps * batch, time slowest, so the distance
// from a step of the results to the next is the number of neurons; `rows` say
// it of the inputs. States may be NULL: zero at the start, not wanted at the
// end.
template <typename Scalar, typename Real>
struct LifForward {
  static constexpr const char *kOperator = "lif";
  const Scalar *current;
  LifRows current_rows;
  Scalar *spikes;
  const Real *start;
  Real *last;
  int64_t neurons, steps;
  Real tau, vth;
};

// The channel of neuron i is (i / run) % channels.
template <typename Scalar, typename Real>
struct LifBackward {
  static constexpr const char *kOperator = "lif_backward";
  const Scalar *current;
  LifRows current_rows;
  const Scalar *grad_spikes;
  LifRows grad_rows;
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

// Neuron `first` of step 0 in an input.
SPIKEDHS_INLINE int64_t lif_place(const LifRows &rows, int64_t neurons,
                                  int64_t first) {
  if (rows.row == 0) return first;
  if (neurons <= 0xffffffffLL) {  // half as wide, a fraction of the time
    const uint32_t i = static_cast<uint32_t>(first);
    const uint32_t row = static_cast<uint32_t>(rows.row);
    return (i / row) * rows.pitch + i % row;
  }
  return (first / rows.row) * rows.pitch + first % rows.row;
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

// A step of eq. 1: spikes of the lanes, and their membranes after the reset.
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

// The steps of a thread between two of which its loads wait, where T is not
// compiled in.
constexpr int kLifGroup = 4;

// kCount steps: all loads, then all arithmetic.
template <int kCount, int kLanes, typename Scalar, typename Real>
SPIKEDHS_INLINE void lif_forward_group(const LifForward<Scalar, Real> &p,
                                       const Scalar *current, Scalar *spikes,
                                       Real *v) {
  Pack<Scalar, kLanes> in[kCount];
  SPIKEDHS_UNROLL
  for (int t = 0; t < kCount; t++) {
    in[t] = load_pack<kLanes>(current + t * p.current_rows.step);
  }
  SPIKEDHS_UNROLL
  for (int t = 0; t < kCount; t++) {
    store_pack<kLanes>(spikes + t * p.neurons,
                       lif_fire<kLanes>(in[t], p.tau, p.vth, v));
  }
}

// kSteps is T, or 0 where T is only known at run time.
template <int kSteps, int kLanes, typename Scalar, typename Real>
SPIKEDHS_INLINE void lif_forward_thread(const LifForward<Scalar, Real> &p,
                                        int64_t first) {
  Real v[kLanes];
  load_state<kLanes>(p.start, first, v);
  const Scalar *current =
      p.current + lif_place(p.current_rows, p.neurons, first);
  Scalar *spikes = p.spikes + first;
  if constexpr (kSteps > 0) {
    lif_forward_group<kSteps, kLanes>(p, current, spikes, v);
  } else {
    int64_t t = 0;
    for (; t + kLifGroup <= p.steps; t += kLifGroup) {
      lif_forward_group<kLifGroup, kLanes>(p, current, spikes, v);
      current += kLifGroup * p.current_rows.step;
      spikes += kLifGroup * p.neurons;
    }
    for (; t < p.steps; t++) {
      lif_forward_group<1, kLanes>(p, current, spikes, v);
      current += p.current_rows.step;
      spikes += p.neurons;
    }
  }
  if (p.last != nullptr) store_state<kLanes>(p.last, first, v);
}

// Whether the lanes of a thread belong to several channels, which makes it
// worth while that the threads of a block share the factors of all channels.
template <typename Scalar, typename Real>
SPIKEDHS_INLINE bool lif_lanes_differ(const LifBackward<Scalar, Real> &p,
                                      int lanes) {
  return p.channels > 1 && p.run % lanes != 0;
}

// Whether a block shares the factors of its channels. They are computed anew in
// every block: a kernel before it, once a layer, would cost more than these few
// hyperbolic tangents, and a factor that outlives the call would be stale when
// a temperature is overwritten between two replays of a recorded step.
template <typename Scalar, typename Real>
SPIKEDHS_INLINE bool lif_wants_table(const LifBackward<Scalar, Real> &p,
                                     int lanes) {
  return lif_lanes_differ(p, lanes) && p.channels <= kLifTable;
}

// A family is compiled by itself. The emulation asks for it at every derivative
// instead, which saves its compiler six of seven versions.
constexpr int kAnyFamily = -1;

template <int kFamily, typename Scalar, typename Real>
SPIKEDHS_INLINE Real lif_factor(const LifBackward<Scalar, Real> &p, Real b) {
  if constexpr (kFamily == kAnyFamily) {
    return surrogate_factor(p.family, b, p.table);
  } else {
    return surrogate_factor<static_cast<Family>(kFamily)>(b, p.table);
  }
}

template <int kFamily, typename Scalar, typename Real>
SPIKEDHS_INLINE Real lif_slope(const LifBackward<Scalar, Real> &p, Real u,
                               Real b, Real factor) {
  if constexpr (kFamily == kAnyFamily) {
    return surrogate_derivative(p.family, u, p.vth, b, factor, p.table);
  } else {
    return surrogate_derivative<static_cast<Family>(kFamily)>(u, p.vth, b,
                                                              factor, p.table);
  }
}

// The share of one thread in the block's table: temperatures, then factors.
template <int kFamily, typename Scalar, typename Real>
SPIKEDHS_INLINE void lif_fill_table(const LifBackward<Scalar, Real> &p,
                                    Real *table, int thread, int threads) {
  for (int64_t c = thread; c < p.channels; c += threads) {
    const Real b = p.temperature[c];
    table[c] = b;
    table[p.channels + c] = lif_factor<kFamily>(p, b);
  }
}

// Temperature and factor of each lane; table is NULL where there is none.
template <int kFamily, int kLanes, typename Scalar, typename Real>
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
  if (!lif_lanes_differ(p, kLanes)) {
    const Real one = p.temperature[c], its = lif_factor<kFamily>(p, one);
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
        table != nullptr ? table[p.channels + c] : lif_factor<kFamily>(p, b[i]);
    if (++place == p.run) {
      place = 0;
      if (++c == p.channels) c = 0;
    }
  }
}

// The backward scan over the steps begin..begin+count, where v holds the
// membranes before them and grad_v the gradient of those after them, replaced
// by that of those before. kExact: count is kSteps.
template <int kFamily, int kSteps, bool kExact, int kLanes, typename Scalar,
          typename Real>
SPIKEDHS_INLINE void lif_backward_window(const LifBackward<Scalar, Real> &p,
                                         int64_t first, int64_t begin,
                                         int count, const Real *b,
                                         const Real *factor, Real *v,
                                         Real *grad_v) {
  const Scalar *current = p.current + begin * p.current_rows.step +
                          lif_place(p.current_rows, p.neurons, first);
  const Scalar *grad_spikes = p.grad_spikes + begin * p.grad_rows.step +
                              lif_place(p.grad_rows, p.neurons, first);
  Scalar *grad_current = p.grad_current + begin * p.neurons + first;
  Pack<Scalar, kLanes> in[kSteps] = {}, grad_in[kSteps] = {};
  Real u[kSteps][kLanes];
  SPIKEDHS_UNROLL
  for (int t = 0; t < kSteps; t++) {
    if (kExact || t < count) {
      in[t] = load_pack<kLanes>(current + t * p.current_rows.step);
      if (kExact) {
        grad_in[t] = load_pack<kLanes>(grad_spikes + t * p.grad_rows.step);
      }
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
  if (!kExact) {  // only now: a window has no registers for both
    SPIKEDHS_UNROLL
    for (int t = 0; t < kSteps; t++) {
      if (t < count) {
        grad_in[t] = load_pack<kLanes>(grad_spikes + t * p.grad_rows.step);
      }
    }
  }
  SPIKEDHS_UNROLL
  for (int t = kSteps - 1; t >= 0; t--) {
    if (kExact || t < count) {
      Pack<Scalar, kLanes> out;
      SPIKEDHS_UNROLL
      for (int i = 0; i < kLanes; i++) {
        const Real slope = lif_slope<kFamily>(p, u[t][i], b[i], factor[i]);
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
template <int kFamily, int kSteps, bool kExact, int kLanes, typename Scalar,
          typename Real>
SPIKEDHS_INLINE void lif_backward_thread(const LifBackward<Scalar, Real> &p,
                                         const Real *table, int64_t first) {
  Real b[kLanes], factor[kLanes], v[kLanes], grad_v[kLanes];
  lif_temperatures<kFamily, kLanes>(p, table, first, b, factor);
  load_state<kLanes>(p.start, first, v);
  load_state<kLanes>(p.grad_last, first, grad_v);
  if (kExact || p.steps <= kSteps) {
    lif_backward_window<kFamily, kSteps, kExact, kLanes>(
        p, first, 0, static_cast<int>(p.steps), b, factor, v, grad_v);
  } else {
    const int64_t windows = (p.steps + kSteps - 1) / kSteps;
    const Scalar *current =
        p.current + lif_place(p.current_rows, p.neurons, first);
    for (int64_t w = 0; w < windows; w++) {
      store_state<kLanes>(p.checkpoints + w * p.neurons, first, v);
      if (w == windows - 1) break;
      for (int64_t t = w * kSteps; t < (w + 1) * kSteps; t++) {
        const auto in = load_pack<kLanes>(current + t * p.current_rows.step);
        lif_fire<kLanes>(in, p.tau, p.vth, v);
      }
    }
    for (int64_t w = windows - 1; w >= 0; w--) {
      load_state<kLanes>(p.checkpoints + w * p.neurons, first, v);
      const int64_t left = p.steps - w * kSteps;
      lif_backward_window<kFamily, kSteps, false, kLanes>(
          p, first, w * kSteps, static_cast<int>(left < kSteps ? left : kSteps),
          b, factor, v, grad_v);
    }
  }
  if (p.grad_start != nullptr) store_state<kLanes>(p.grad_start, first, grad_v);
}

}  // namespace spikedhs
