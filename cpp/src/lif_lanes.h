// The LIF scan with AVX-512: sixteen neurons in a vector, a few vectors at a
// time, whose membranes stay in registers over all steps. The loops over blocks
// in lif_kernels.cc, which every processor can run, keep them in the
// first-level cache and move twice as many numbers there. Both round alike:
// these are the same operations in the same order.
//
// Included by lif_kernels.cc alone, inside the namespace of its instruction
// set.
#pragma once

constexpr int64_t kLanes = 16;

// Vectors at a time: each waits for its own last step, so several fill the
// time. Backward in float32 more would be more streams of memory than the
// hardware follows.
constexpr int kForwardVectors = 4;
template <typename Scalar>
constexpr int kBackwardVectors = sizeof(Scalar) == sizeof(float) ? 2 : 4;

// How far ahead the next numbers of a step are asked for, in bytes.
constexpr int64_t kAhead = 256;

SPIKEDHS_LOCAL __m512 load_lanes(const float *from) {
  return _mm512_loadu_ps(from);
}
SPIKEDHS_LOCAL __m512 load_lanes(const Bf16 *from) {
  const __m256i bits =
      _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
  return _mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

template <bool kNative>
SPIKEDHS_LOCAL void store_lanes(float *to, __m512 x) {
  _mm512_storeu_ps(to, x);
}
// Rounds as store() does. The processor's own instruction (kNative) differs
// where nobody looks: it takes numbers below 2^-126 for zero and keeps a NaN's
// payload. As an instruction in text it needs no flag that would let the
// compiler use more of that extension elsewhere in this file.
template <bool kNative>
SPIKEDHS_LOCAL void store_lanes(Bf16 *to, __m512 x) {
  __m256i half;
  if constexpr (kNative) {
    asm("vcvtneps2bf16 %1, %0" : "=v"(half) : "v"(x));
  } else {
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i odd =
        _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(
        _mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
    half = _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(
        _mm512_srli_epi32(up, 16), _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q),
        _mm512_set1_epi32(0x7fc0)));
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(to), half);
}

// A spike is 1 or 0; kStreamed writes past the caches.
template <bool kStreamed>
SPIKEDHS_LOCAL void store_spikes(float *to, __mmask16 fired) {
  const __m512 y = _mm512_maskz_mov_ps(fired, _mm512_set1_ps(1.0f));
  if constexpr (kStreamed) {
    _mm512_stream_ps(to, y);
  } else {
    _mm512_storeu_ps(to, y);
  }
}
template <bool kStreamed>
SPIKEDHS_LOCAL void store_spikes(Bf16 *to, __mmask16 fired) {
  _mm256_storeu_si256(reinterpret_cast<__m256i *>(to),
                      _mm256_maskz_mov_epi16(fired, _mm256_set1_epi16(0x3f80)));
}

template <int kVectors>
SPIKEDHS_LOCAL void load_state_lanes(__m512 *v, const float *state,
                                     int64_t at) {
  for (int k = 0; k < kVectors; k++) {
    v[k] = state == nullptr ? _mm512_setzero_ps()
                            : _mm512_loadu_ps(state + at + k * kLanes);
  }
}
template <int kVectors>
SPIKEDHS_LOCAL void store_state_lanes(float *state, int64_t at,
                                      const __m512 *v) {
  if (state == nullptr) return;
  for (int k = 0; k < kVectors; k++) {
    _mm512_storeu_ps(state + at + k * kLanes, v[k]);
  }
}

template <int kVectors, typename Scalar>
SPIKEDHS_LOCAL void ask_for(const Scalar *from) {
  const char *next = reinterpret_cast<const char *>(from) + kAhead;
  constexpr auto bytes =
      kVectors * kLanes * static_cast<int64_t>(sizeof(Scalar));
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(next + i);
}

// lif_charge.
SPIKEDHS_LOCAL __m512 charge_lanes(__m512 v, __m512 current, __m512 tau) {
  return _mm512_add_ps(_mm512_mul_ps(tau, v), current);
}

// x of the neurons that do not fire at u, 0 of the others.
SPIKEDHS_LOCAL __m512 unless_fired(__m512 u, __m512 vth, __m512 x) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(u, vth, _CMP_NGT_UQ), x);
}

// The neurons [first, last) as far as they fill whole groups; gives the first
// that is left. Blocks of neurons go on from there.
template <bool kStreamed, typename Scalar>
int64_t forward_groups(const LifForward<Scalar, float> &p, int64_t first,
                       int64_t last) {
  constexpr int n = kForwardVectors;
  const __m512 tau = _mm512_set1_ps(p.tau), vth = _mm512_set1_ps(p.vth);
  int64_t at = first;
  for (; at + n * kLanes <= last; at += n * kLanes) {
    __m512 v[n];
    load_state_lanes<n>(v, p.start, at);
    for (int64_t t = 0; t < p.steps; t++) {
      const Scalar *in = p.current + t * p.neurons + at;
      Scalar *out = p.spikes + t * p.neurons + at;
      ask_for<n>(in);
      for (int k = 0; k < n; k++) {
        const __m512 u = charge_lanes(v[k], load_lanes(in + k * kLanes), tau);
        const __mmask16 fired = _mm512_cmp_ps_mask(u, vth, _CMP_GT_OQ);
        store_spikes<kStreamed>(out + k * kLanes, fired);
        v[k] = _mm512_maskz_mov_ps(_knot_mask16(fired), u);
      }
    }
    store_state_lanes<n>(p.last, at, v);
  }
  return at;
}

template <typename Scalar>
void forward_lanes(const LifForward<Scalar, float> &p, int64_t first,
                   int64_t last, bool stream) {
  const bool aligned =
      reinterpret_cast<uintptr_t>(p.spikes + first) % 64 == 0 &&
      p.neurons % kLanes == 0;
  if (stream && aligned) {
    first = forward_groups<true>(p, first, last);
    finish_stores();
  } else {
    first = forward_groups<false>(p, first, last);
  }
  forward(p, first, last, false);
}

// dspike_polynomial.
template <int kDegree>
SPIKEDHS_LOCAL __m512 polynomial_lanes(__m512 u, __m512 vth, __m512 low,
                                       __m512 high, const __m512 *c) {
  const __m512 x = _mm512_sub_ps(u, vth);
  const __m512 w = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_set1_ps(8.0f), x), x,
                                   _mm512_set1_ps(-1.0f));
  __m512 value = c[kDegree];
#pragma GCC unroll 16
  for (int i = kDegree - 1; i >= 0; i--)
    value = _mm512_fmadd_ps(value, w, c[i]);
  const __mmask16 inside = _mm512_mask_cmp_ps_mask(
      _mm512_cmp_ps_mask(u, low, _CMP_GT_OQ), u, high, _CMP_LT_OQ);
  return _mm512_maskz_mov_ps(inside, value);
}

// Dspike's backward pass by its polynomial; potentials hold kLifBlock numbers a
// step.
template <int kDegree, typename Scalar, bool kNative>
void backward_lanes(const LifBackward<Scalar, float> &p, const float *b_of,
                    const float *coefficients, int64_t first, int64_t last,
                    float *potentials) {
  constexpr int n = kBackwardVectors<Scalar>;
  const __m512 tau = _mm512_set1_ps(p.tau), vth = _mm512_set1_ps(p.vth);
  const __m512 low = _mm512_set1_ps(p.vth - 0.5f);
  const __m512 high = _mm512_set1_ps(p.vth + 0.5f);
  __m512 c[kDegree + 1];
  for (int i = 0; i <= kDegree; i++) c[i] = _mm512_set1_ps(coefficients[i]);
  int64_t at = first;
  for (; at + n * kLanes <= last; at += n * kLanes) {
    __m512 v[n];
    load_state_lanes<n>(v, p.start, at);
    for (int64_t t = 0; t < p.steps; t++) {
      const Scalar *in = p.current + t * p.neurons + at;
      float *potential = potentials + t * n * kLanes;
      ask_for<n>(in);
      ask_for<n>(p.grad_spikes + t * p.neurons + at);
      for (int k = 0; k < n; k++) {
        const __m512 u = charge_lanes(v[k], load_lanes(in + k * kLanes), tau);
        _mm512_storeu_ps(potential + k * kLanes, u);
        v[k] = unless_fired(u, vth, u);
      }
    }
    __m512 grad_v[n];
    load_state_lanes<n>(grad_v, p.grad_last, at);
    for (int64_t t = p.steps - 1; t >= 0; t--) {
      const Scalar *in = p.grad_spikes + t * p.neurons + at;
      Scalar *out = p.grad_current + t * p.neurons + at;
      const float *potential = potentials + t * n * kLanes;
      for (int k = 0; k < n; k++) {
        const __m512 u = _mm512_loadu_ps(potential + k * kLanes);
        const __m512 slope = polynomial_lanes<kDegree>(u, vth, low, high, c);
        // lif_grad_membrane
        const __m512 kept = unless_fired(u, vth, grad_v[k]);
        const __m512 grad = _mm512_sub_ps(load_lanes(in + k * kLanes),
                                          _mm512_mul_ps(grad_v[k], u));
        const __m512 grad_u = _mm512_add_ps(kept, _mm512_mul_ps(grad, slope));
        store_lanes<kNative>(out + k * kLanes, grad_u);
        grad_v[k] = _mm512_mul_ps(tau, grad_u);
      }
    }
    store_state_lanes<n>(p.grad_start, at, grad_v);
  }
  backward<ByPolynomial<kDegree>>(p, b_of, coefficients, at, last, potentials);
}
