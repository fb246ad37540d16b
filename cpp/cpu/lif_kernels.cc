// The kernels of lif_kernels.h: eq. 1 forward, eq. 2 backward. This file is
// compiled once for each instruction set (see flat.h).
//
// Bytes that must move per neuron and step: forward reads the current and
// writes the spike; backward reads the current and the spike's gradient and
// writes the current's gradient. Nothing else goes to memory.
#include "lif_kernels.h"

#include "isa.h"
#include "lanes.h"
#include "lif_step.h"

namespace spikedhs {
namespace SPIKEDHS_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int64_t kStream = 64;
SPIKEDHS_LOCAL void stream_one(char *to, const char *from) {
  _mm512_stream_si512(reinterpret_cast<__m512i *>(to), _mm512_load_si512(from));
}
#elif defined(__AVX2__)
constexpr int64_t kStream = 32;
SPIKEDHS_LOCAL void stream_one(char *to, const char *from) {
  _mm256_stream_si256(
      reinterpret_cast<__m256i *>(to),
      _mm256_load_si256(reinterpret_cast<const __m256i *>(from)));
}
#else
constexpr int64_t kStream = 0;
SPIKEDHS_LOCAL void stream_one(char *, const char *) {}
#endif

// Copies past the caches where both sides allow it.
template <typename Scalar>
SPIKEDHS_LOCAL void put(Scalar *to, const Scalar *from, int64_t n) {
  const int64_t bytes = n * static_cast<int64_t>(sizeof(Scalar));
  if (kStream == 0 || reinterpret_cast<uintptr_t>(to) % 64 != 0 ||
      bytes % 64 != 0) {
    memcpy(to, from, bytes);
    return;
  }
  for (int64_t at = 0; at < bytes; at += kStream) {
    stream_one(reinterpret_cast<char *>(to) + at,
               reinterpret_cast<const char *>(from) + at);
  }
}

// Streamed stores must be in order with what follows in other threads.
SPIKEDHS_LOCAL void finish_stores() {
#if defined(__AVX2__)
  _mm_sfence();
#endif
}

template <typename Real>
SPIKEDHS_LOCAL void start_from(Real *v, const Real *state, int64_t n) {
  if (state != nullptr) {
    memcpy(v, state, n * sizeof(Real));
  } else {
    for (int64_t i = 0; i < n; i++) v[i] = Real(0);
  }
}

template <typename Scalar, typename Real>
void forward(const LifForward<Scalar, Real> &p, int64_t first, int64_t last,
             bool stream) {
  alignas(64) Real v[kLifBlock];
  alignas(64) Scalar block[kLifBlock];
  const Real tau = p.tau, vth = p.vth;
  for (int64_t at = first; at < last; at += kLifBlock) {
    const int64_t n = last - at < kLifBlock ? last - at : kLifBlock;
    start_from(v, p.start == nullptr ? nullptr : p.start + at, n);
    for (int64_t t = 0; t < p.steps; t++) {
      const Scalar *in = p.current + t * p.neurons + at;
      Scalar *to = p.spikes + t * p.neurons + at;
      Scalar *out = stream ? block : to;
      SPIKEDHS_FLAT
      for (int64_t i = 0; i < n; i++) {
        const Real u = lif_charge(v[i], load(in[i]), tau);
        const bool fired = u > vth;
        store_spike(&out[i], fired);
        v[i] = fired ? Real(0) : u;
      }
      if (stream) put(to, block, n);
    }
    if (p.last != nullptr) memcpy(p.last + at, v, n * sizeof(Real));
  }
  if (stream) finish_stores();
}

// The constants of the neurons [at, at + n).
template <typename Real>
SPIKEDHS_LOCAL void spread(Real *to, const Real *by_channel, int64_t channels,
                           int64_t run, int64_t at, int64_t n) {
  if (channels == 1) {
    for (int64_t i = 0; i < n; i++) to[i] = by_channel[0];
    return;
  }
  int64_t left = run - at % run;
  int64_t c = (at / run) % channels;
  for (int64_t i = 0; i < n; i++) {
    to[i] = by_channel[c];
    if (--left == 0) {
      left = run;
      if (++c == channels) c = 0;
    }
  }
}

// How a block of neurons gets dy/du: prepare() before the block, then the
// derivative of its i-th neuron at u. The first way is by a family's formula.
template <Family kFamily, typename Scalar, typename Real>
struct ByFormula {
  alignas(64) Real b[kLifBlock], factor[kLifBlock];
  const LifBackward<Scalar, Real> &p;
  const Real *b_of, *factor_of;
  bool ready = false;

  ByFormula(const LifBackward<Scalar, Real> &args, const Real *by_channel_b,
            const Real *by_channel_factor)
      : p(args), b_of(by_channel_b), factor_of(by_channel_factor) {}
  SPIKEDHS_LOCAL void prepare(int64_t at, int64_t n) {
    if (ready && p.channels == 1) return;
    const int64_t all = p.channels == 1 ? kLifBlock : n;
    spread(b, b_of, p.channels, p.run, at, all);
    spread(factor, factor_of, p.channels, p.run, at, all);
    ready = true;
  }
  SPIKEDHS_LOCAL Real operator()(Real u, int64_t i) const {
    return surrogate_derivative<kFamily>(u, p.vth, b[i], factor[i], p.table);
  }
};

// The second way is a polynomial that all neurons share.
template <int kDegree>
struct ByPolynomial {
  float c[kDegree + 1];
  float vth;

  template <typename Scalar>
  ByPolynomial(const LifBackward<Scalar, float> &p, const float *,
               const float *coefficients)
      : vth(p.vth) {
    memcpy(c, coefficients, sizeof c);
  }
  SPIKEDHS_LOCAL void prepare(int64_t, int64_t) {}
  SPIKEDHS_LOCAL float operator()(float u, int64_t) const {
    return dspike_polynomial<kDegree>(u, vth, c);
  }
};

// Eq. 2 for one neuron, one step backwards: from dL/dy_t and dL/dv_t to dL/dI_t
// and dL/dv_{t-1}.
template <typename Real>
SPIKEDHS_LOCAL void step_back(Real tau, Real vth, Real grad_spike, Real u,
                              Real slope, Real *grad_v, Real *grad_u) {
  *grad_u = lif_grad_membrane(u, u > vth, grad_spike, *grad_v, slope);
  *grad_v = tau * *grad_u;
}

// Membranes are computed again from the currents.
template <typename Slope, typename Scalar, typename Real>
void backward(const LifBackward<Scalar, Real> &p, const Real *b_of,
              const Real *factor_of, int64_t first, int64_t last,
              Real *potentials) {
  alignas(64) Real v[kLifBlock], grad_v[kLifBlock], grad[kLifBlock];
  Slope slope(p, b_of, factor_of);
  const Real tau = p.tau, vth = p.vth;
  for (int64_t at = first; at < last; at += kLifBlock) {
    const int64_t n = last - at < kLifBlock ? last - at : kLifBlock;
    slope.prepare(at, n);
    start_from(v, p.start == nullptr ? nullptr : p.start + at, n);
    for (int64_t t = 0; t < p.steps; t++) {
      const Scalar *in = p.current + t * p.neurons + at;
      Real *potential = potentials + t * kLifBlock;
      // What is needed later is asked for while there is arithmetic to do.
      foresee<false>(p.grad_spikes + t * p.neurons + at, n);
      SPIKEDHS_FLAT
      for (int64_t i = 0; i < n; i++) {
        const Real u = lif_charge(v[i], load(in[i]), tau);
        potential[i] = u;
        v[i] = u > vth ? Real(0) : u;
      }
    }
    start_from(grad_v, p.grad_last == nullptr ? nullptr : p.grad_last + at, n);
    for (int64_t t = p.steps - 1; t >= 0; t--) {
      const Scalar *grad_in = p.grad_spikes + t * p.neurons + at;
      Scalar *out = p.grad_current + t * p.neurons + at;
      Real *potential = potentials + t * kLifBlock;
      foresee<false>(p.current + t * p.neurons + at + n,
                     n);  // of the next block
      if (sizeof(Scalar) == sizeof(Real)) {
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < n; i++) {
          Real grad_u;
          const Real u = potential[i];
          step_back(tau, vth, Real(load(grad_in[i])), u, slope(u, i),
                    &grad_v[i], &grad_u);
          store(&out[i], grad_u);
        }
      } else {
        // Sixteen-bit numbers are read and written in loops of their own: mixed
        // into the arithmetic they make twice as many, half as full vectors.
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < n; i++) grad[i] = load(grad_in[i]);
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < n; i++) {
          const Real u = potential[i];
          step_back(tau, vth, grad[i], u, slope(u, i), &grad_v[i],
                    &potential[i]);
        }
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < n; i++) store(&out[i], potential[i]);
      }
    }
    if (p.grad_start != nullptr) {
      memcpy(p.grad_start + at, grad_v, n * sizeof(Real));
    }
  }
}

#if defined(__AVX512F__)
#include "lif_lanes.h"
#endif

template <Family kFamily, typename Scalar, typename Real>
constexpr auto by_formula =
    &backward<ByFormula<kFamily, Scalar, Real>, Scalar, Real>;

// kNative: the processor has instructions for bfloat16.
template <typename Scalar, typename Real, bool kNative = false>
constexpr LifKernels<Scalar, Real> kernels() {
#define SPIKEDHS_BY_FORMULA(name) by_formula<Family::name, Scalar, Real>,
  LifKernels<Scalar, Real> k{&forward<Scalar, Real>,
                             {SPIKEDHS_EACH_SURROGATE(SPIKEDHS_BY_FORMULA)},
                             {}};
#undef SPIKEDHS_BY_FORMULA
#if defined(__AVX512F__)
  if constexpr (sizeof(Real) == sizeof(float)) {
    k.forward = &forward_lanes<Scalar>;
    k.dspike[0] = &backward_lanes<kDspikeDegrees[0], Scalar, kNative>;
    k.dspike[1] = &backward_lanes<kDspikeDegrees[1], Scalar, kNative>;
    k.dspike[2] = &backward_lanes<kDspikeDegrees[2], Scalar, kNative>;
  }
#else
  if constexpr (sizeof(Real) == sizeof(float)) {
    k.dspike[0] = &backward<ByPolynomial<kDspikeDegrees[0]>, Scalar, Real>;
    k.dspike[1] = &backward<ByPolynomial<kDspikeDegrees[1]>, Scalar, Real>;
    k.dspike[2] = &backward<ByPolynomial<kDspikeDegrees[2]>, Scalar, Real>;
  }
#endif
  return k;
}

template <typename Scalar, typename Real, bool kNative = false>
constexpr LifKernels<Scalar, Real> table = kernels<Scalar, Real, kNative>();

}  // namespace

const LifKernels<float, float> &lif_float() { return table<float, float>; }
const LifKernels<double, double> &lif_double() { return table<double, double>; }
const LifKernels<Bf16, float> &lif_bfloat16() {
  return isa() >= Isa::avx512bf16 ? table<Bf16, float, true>
                                  : table<Bf16, float>;
}

}  // namespace SPIKEDHS_ISA
}  // namespace spikedhs
