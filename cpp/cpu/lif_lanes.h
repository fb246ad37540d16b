// The LIF scan (eq. 1 and 2) with AVX-512: sixteen neurons in a vector, a few
// vectors at a time, whose membranes stay in registers over all steps. The
// loops over blocks in lif_kernels.cc, which every processor can run, keep them
// in the first-level cache and move twice as many numbers there. Both round
// alike: these are the same operations in the same order.
//
// Included by lif_kernels.cc alone, inside the namespace of its instruction
// set.
#pragma once

// Vectors at a time: each waits for its own last step, so several fill the
// time. Backward in float32 more would be more streams of memory than the
// hardware follows.
constexpr int kForwardVectors = 4;
template <typename Scalar>
constexpr int kBackwardVectors = sizeof(Scalar) == sizeof(float) ? 2 : 4;

// How far ahead the next numbers of a step are asked for, in bytes.
constexpr int64_t kAhead = 256;

SPIKEDHS_LOCAL Lanes load_lanes(const float *from) {
  Lanes x;
  read(&x, from);
  return x;
}
SPIKEDHS_LOCAL Lanes load_lanes(const Bf16 *from) {
  const __m256i bits =
      _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
  return Lanes{
      _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16))};
}

template <bool kNative>
SPIKEDHS_LOCAL void store_lanes(float *to, Lanes x) {
  write(to, x);
}
// Rounds as store() does. The processor's own instruction (kNative) differs
// where nobody looks: it takes numbers below 2^-126 for zero and keeps a NaN's
// payload. As an instruction in text it needs no flag that would let the
// compiler use more of that extension elsewhere in this file.
template <bool kNative>
SPIKEDHS_LOCAL void store_lanes(Bf16 *to, Lanes x) {
  __m256i half;
  if constexpr (kNative) {
    asm("vcvtneps2bf16 %1, %0" : "=v"(half) : "v"(x.v));
  } else {
    const __m512i bits = _mm512_castps_si512(x.v);
    const __m512i odd =
        _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(
        _mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
    half = _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(
        _mm512_srli_epi32(up, 16), _mm512_cmp_ps_mask(x.v, x.v, _CMP_UNORD_Q),
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
SPIKEDHS_LOCAL void load_state_lanes(Lanes *v, const float *state, int64_t at) {
  for (int k = 0; k < kVectors; k++) {
    v[k] = state == nullptr ? Lanes{} : load_lanes(state + at + k * kLanes);
  }
}
template <int kVectors>
SPIKEDHS_LOCAL void store_state_lanes(float *state, int64_t at,
                                      const Lanes *v) {
  if (state == nullptr) return;
  for (int k = 0; k < kVectors; k++) write(state + at + k * kLanes, v[k]);
}

template <int kVectors, typename Scalar>
SPIKEDHS_LOCAL void ask_for(const Scalar *from) {
  const char *next = reinterpret_cast<const char *>(from) + kAhead;
  constexpr auto bytes =
      kVectors * kLanes * static_cast<int64_t>(sizeof(Scalar));
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(next + i);
}

// x of the neurons that do not fire at u, 0 of the others.
SPIKEDHS_LOCAL Lanes unless_fired(Lanes u, Lanes vth, Lanes x) {
  return Lanes{
      _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(u.v, vth.v, _CMP_NGT_UQ), x.v)};
}

// The neurons [first, last) as far as they fill whole groups; gives the first
// that is left. Blocks of neurons go on from there.
template <bool kStreamed, typename Scalar>
int64_t forward_groups(const LifForward<Scalar, float> &p, int64_t first,
                       int64_t last) {
  constexpr int n = kForwardVectors;
  const Lanes tau = all(p.tau), vth = all(p.vth);
  int64_t at = first;
  for (; at + n * kLanes <= last; at += n * kLanes) {
    Lanes v[n];
    load_state_lanes<n>(v, p.start, at);
    for (int64_t t = 0; t < p.steps; t++) {
      const Scalar *in = p.current + t * p.neurons + at;
      Scalar *out = p.spikes + t * p.neurons + at;
      ask_for<n>(in);
      for (int k = 0; k < n; k++) {
        const Lanes u = tau * v[k] + load_lanes(in + k * kLanes);  // lif_charge
        const __mmask16 fired = _mm512_cmp_ps_mask(u.v, vth.v, _CMP_GT_OQ);
        store_spikes<kStreamed>(out + k * kLanes, fired);
        v[k] = Lanes{_mm512_maskz_mov_ps(_knot_mask16(fired), u.v)};
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
SPIKEDHS_LOCAL Lanes polynomial_lanes(Lanes u, Lanes vth, Lanes low, Lanes high,
                                      const Lanes *c) {
  const Lanes x = u - vth;
  const Lanes w = multiply_add(all(8.0f) * x, x, all(-1.0f));
  Lanes value = c[kDegree];
#pragma GCC unroll 16
  for (int i = kDegree - 1; i >= 0; i--) value = multiply_add(value, w, c[i]);
  const __mmask16 inside = _mm512_mask_cmp_ps_mask(
      _mm512_cmp_ps_mask(u.v, low.v, _CMP_GT_OQ), u.v, high.v, _CMP_LT_OQ);
  return Lanes{_mm512_maskz_mov_ps(inside, value.v)};
}

// Dspike's backward pass by its polynomial; potentials hold kLifBlock numbers a
// step.
template <int kDegree, typename Scalar, bool kNative>
void backward_lanes(const LifBackward<Scalar, float> &p, const float *b_of,
                    const float *coefficients, int64_t first, int64_t last,
                    float *potentials) {
  constexpr int n = kBackwardVectors<Scalar>;
  const Lanes tau = all(p.tau), vth = all(p.vth);
  const Lanes low = all(p.vth - 0.5f), high = all(p.vth + 0.5f);
  Lanes c[kDegree + 1];
  for (int i = 0; i <= kDegree; i++) c[i] = all(coefficients[i]);
  int64_t at = first;
  for (; at + n * kLanes <= last; at += n * kLanes) {
    Lanes v[n];
    load_state_lanes<n>(v, p.start, at);
    for (int64_t t = 0; t < p.steps; t++) {
      const Scalar *in = p.current + t * p.neurons + at;
      float *potential = potentials + t * n * kLanes;
      ask_for<n>(in);
      ask_for<n>(p.grad_spikes + t * p.neurons + at);
      for (int k = 0; k < n; k++) {
        const Lanes u = tau * v[k] + load_lanes(in + k * kLanes);  // lif_charge
        write(potential + k * kLanes, u);
        v[k] = unless_fired(u, vth, u);
      }
    }
    Lanes grad_v[n];
    load_state_lanes<n>(grad_v, p.grad_last, at);
    for (int64_t t = p.steps - 1; t >= 0; t--) {
      const Scalar *in = p.grad_spikes + t * p.neurons + at;
      Scalar *out = p.grad_current + t * p.neurons + at;
      const float *potential = potentials + t * n * kLanes;
      for (int k = 0; k < n; k++) {
        const Lanes u = load_lanes(potential + k * kLanes);
        const Lanes slope = polynomial_lanes<kDegree>(u, vth, low, high, c);
        // lif_grad_membrane
        const Lanes kept = unless_fired(u, vth, grad_v[k]);
        const Lanes grad = load_lanes(in + k * kLanes) - grad_v[k] * u;
        const Lanes grad_u = kept + grad * slope;
        store_lanes<kNative>(out + k * kLanes, grad_u);
        grad_v[k] = tau * grad_u;
      }
    }
    store_state_lanes<n>(p.grad_start, at, grad_v);
  }
  backward<ByPolynomial<kDegree>>(p, b_of, coefficients, at, last, potentials);
}
