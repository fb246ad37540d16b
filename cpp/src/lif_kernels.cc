// The kernels of lif_kernels.h. This file is compiled once for each instruction
// set (see flat.h).
//
// Bytes that must move per neuron and step: forward reads the current and
// writes the spike; backward reads the current and the spike's gradient and
// writes the current's gradient. Nothing else goes to memory.
#include "lif_kernels.h"

#include <string.h>

#include "flat.h"
#include "lif_step.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

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
        store(&out[i], fired ? Real(1) : Real(0));
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

// One neuron, one step backwards: from dL/dy_t and dL/dv_t to dL/dI_t and
// dL/dv_{t-1}.
template <Family kFamily, typename Scalar, typename Real>
SPIKEDHS_LOCAL void step_back(const LifBackward<Scalar, Real> &p,
                              Real grad_spike, Real u, Real b, Real factor,
                              Real *grad_v, Real *grad_u) {
  const Real slope =
      surrogate_derivative<kFamily>(u, p.vth, b, factor, p.table);
  *grad_u = lif_grad_membrane(u, u > p.vth, grad_spike, *grad_v, slope);
  *grad_v = p.tau * *grad_u;
}

// Membranes are computed again from the currents.
template <Family kFamily, typename Scalar, typename Real>
void backward(const LifBackward<Scalar, Real> &p, const Real *b_of,
              const Real *factor_of, int64_t first, int64_t last, bool stream,
              Real *potentials) {
  alignas(64) Real v[kLifBlock], grad_v[kLifBlock], grad[kLifBlock];
  alignas(64) Real b[kLifBlock], factor[kLifBlock];
  alignas(64) Scalar block[kLifBlock];
  const Real tau = p.tau, vth = p.vth;
  for (int64_t at = first; at < last; at += kLifBlock) {
    const int64_t n = last - at < kLifBlock ? last - at : kLifBlock;
    if (at == first || p.channels > 1) {
      spread(b, b_of, p.channels, p.run, at, n);
      spread(factor, factor_of, p.channels, p.run, at, n);
    }
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
      Scalar *to = p.grad_current + t * p.neurons + at;
      Scalar *out = stream ? block : to;
      Real *potential = potentials + t * kLifBlock;
      foresee<false>(p.current + t * p.neurons + at + n,
                     n);  // of the next block
      if (sizeof(Scalar) == sizeof(Real)) {
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < n; i++) {
          step_back<kFamily>(p, Real(load(grad_in[i])), potential[i], b[i],
                             factor[i], &grad_v[i], &potential[i]);
          store(&out[i], potential[i]);
        }
      } else {
        // Sixteen-bit numbers are read and written in loops of their own: mixed
        // into the arithmetic they make twice as many, half as full vectors.
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < n; i++) grad[i] = load(grad_in[i]);
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < n; i++) {
          step_back<kFamily>(p, grad[i], potential[i], b[i], factor[i],
                             &grad_v[i], &potential[i]);
        }
        SPIKEDHS_FLAT
        for (int64_t i = 0; i < n; i++) store(&out[i], potential[i]);
      }
      if (stream) put(to, block, n);
    }
    if (p.grad_start != nullptr) {
      memcpy(p.grad_start + at, grad_v, n * sizeof(Real));
    }
  }
  if (stream) finish_stores();
}

template <typename Scalar, typename Real>
constexpr LifKernels<Scalar, Real> table = {
    &forward<Scalar, Real>,
    {&backward<Family::kDspike, Scalar, Real>,
     &backward<Family::kTriangular, Scalar, Real>,
     &backward<Family::kSuperSpike, Scalar, Real>,
     &backward<Family::kArcTan, Scalar, Real>,
     &backward<Family::kRectangular, Scalar, Real>,
     &backward<Family::kExponential, Scalar, Real>,
     &backward<Family::kTable, Scalar, Real>}};

}  // namespace

const LifKernels<float, float> &lif_float() { return table<float, float>; }
const LifKernels<double, double> &lif_double() { return table<double, double>; }
const LifKernels<Bf16, float> &lif_bfloat16() { return table<Bf16, float>; }

}  // namespace SPIKEDHS_ISA
}  // namespace spikedhs
