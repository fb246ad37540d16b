// CPU kernels of the LIF scan.
//
// Work is cut into blocks of neighbouring neurons: a block's membranes stay in
// the first-level cache over all T steps, and the inner loops run over
// neurons, so the compiler vectorises them; target_clones makes it do so for
// each instruction set and picks one at load time.
//
// Bytes that must move per neuron and step: forward reads the current and
// writes the spike; backward reads the current and the spike's gradient and
// writes the current's gradient. Nothing else goes to memory.
#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>

#include <type_traits>
#include <vector>

#include "lif.h"
#include "lif_step.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SPIKEDHS_CLONES \
  __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SPIKEDHS_CLONES
#endif

namespace spikedhs {
namespace {

constexpr int64_t kBlock = 512;       // neurons whose state stays in cache
constexpr int64_t kGrain = 32 * 512;  // neurons below which threads do not pay

// One block of neurons over all steps; `stride` is the distance in elements
// from a step to the next. `v` (length n) holds the membranes in and out.
#define SPIKEDHS_FORWARD(Scalar, Real)                                         \
  SPIKEDHS_CLONES void forward_block(const Scalar *current, Scalar *spikes,    \
                                     int64_t n, int64_t stride, int64_t steps, \
                                     Real tau, Real vth, Real *__restrict v) { \
    for (int64_t t = 0; t < steps; t++) {                                      \
      const Scalar *__restrict in = current + t * stride;                      \
      Scalar *__restrict out = spikes + t * stride;                            \
      for (int64_t i = 0; i < n; i++) {                                        \
        const Real u = lif_charge(v[i], load(in[i]), tau);                     \
        const bool fired = u > vth;                                            \
        store(&out[i], fired ? Real(1) : Real(0));                             \
        v[i] = fired ? Real(0) : u;                                            \
      }                                                                        \
    }                                                                          \
  }

// The reverse scan. `potentials` (steps * n) is scratch for the membranes that
// are computed again; `v` holds the state at the start, `grad_v` the gradient
// of the state at the end and, on return, of the state at the start. Reading
// and writing 16-bit numbers has loops of its own: mixed into the arithmetic
// they keep the compiler from vectorising it.
#define SPIKEDHS_BACKWARD(Scalar, Real)                                       \
  SPIKEDHS_CLONES void backward_block(                                        \
      const Scalar *current, const Scalar *grad_spikes, Scalar *grad_current, \
      int64_t n, int64_t stride, int64_t steps, Real tau, Real vth,           \
      const Real *__restrict b, const Real *__restrict scale,                 \
      Real *__restrict v, Real *__restrict grad_v, Real *potentials) {        \
    for (int64_t t = 0; t < steps; t++) {                                     \
      const Scalar *__restrict in = current + t * stride;                     \
      Real *__restrict potential = potentials + t * n;                        \
      for (int64_t i = 0; i < n; i++) {                                       \
        const Real u = lif_charge(v[i], load(in[i]), tau);                    \
        potential[i] = u;                                                     \
        v[i] = u > vth ? Real(0) : u;                                         \
      }                                                                       \
    }                                                                         \
    for (int64_t t = steps - 1; t >= 0; t--) {                                \
      const Scalar *grad_in = grad_spikes + t * stride;                       \
      Scalar *__restrict grad_out = grad_current + t * stride;                \
      Real *__restrict potential = potentials + t * n;                        \
      Real *__restrict grad = v; /* its membranes are not needed any more */  \
      for (int64_t i = 0; i < n; i++) grad[i] = load(grad_in[i]);             \
      for (int64_t i = 0; i < n; i++) {                                       \
        const Real u = potential[i];                                          \
        const Real slope = dspike_derivative(u, vth, b[i], scale[i]);         \
        const Real grad_u =                                                   \
            lif_grad_membrane(u, u > vth, grad[i], grad_v[i], slope);         \
        potential[i] = grad_u;                                                \
        grad_v[i] = tau * grad_u;                                             \
      }                                                                       \
      for (int64_t i = 0; i < n; i++) store(&grad_out[i], potential[i]);      \
    }                                                                         \
  }

// Overloads, not templates: target_clones needs functions with one definition.
SPIKEDHS_FORWARD(float, float)
SPIKEDHS_FORWARD(double, double)
SPIKEDHS_FORWARD(Bf16, float)
SPIKEDHS_BACKWARD(float, float)
SPIKEDHS_BACKWARD(double, double)
SPIKEDHS_BACKWARD(Bf16, float)

#undef SPIKEDHS_FORWARD
#undef SPIKEDHS_BACKWARD

// The element type as the kernels see it.
template <typename Scalar>
using Element =
    std::conditional_t<std::is_same<Scalar, at::BFloat16>::value, Bf16, Scalar>;

template <typename Scalar>
using real_of =
    std::conditional_t<std::is_same<Scalar, double>::value, double, float>;

// Temperature and its derived factor for the neurons of a block, whatever the
// memory layout.
template <typename Real>
class Temperatures {
 public:
  Temperatures(const at::Tensor &temperature, const at::Tensor &current)
      : channels_(temperature.numel()) {
    const at::Tensor b = temperature.to(at::kCPU, at::kDouble).contiguous();
    const double *values = b.data_ptr<double>();
    for (int64_t c = 0; c < channels_; c++) {
      b_.push_back(static_cast<Real>(values[c]));
      scale_.push_back(static_cast<Real>(dspike_scale<double>(values[c])));
    }
    // Neighbouring elements of one channel: all of them when there is one
    // temperature, a plane in contiguous layout, one in channels-last.
    if (current.dim() > 2 &&
        current.suggest_memory_format() == at::MemoryFormat::Contiguous) {
      for (int64_t d = 2; d < current.dim(); d++) run_ *= current.size(d);
    }
  }

  void fill(int64_t begin, int64_t n, Real *b, Real *scale) const {
    if (channels_ == 1) {
      std::fill_n(b, n, b_[0]);
      std::fill_n(scale, n, scale_[0]);
      return;
    }
    int64_t left = run_ - begin % run_;
    int64_t c = (begin / run_) % channels_;
    for (int64_t i = 0; i < n; i++) {
      b[i] = b_[c];
      scale[i] = scale_[c];
      if (--left == 0) {
        left = run_;
        if (++c == channels_) c = 0;
      }
    }
  }

 private:
  int64_t channels_;
  int64_t run_ = 1;
  std::vector<Real> b_, scale_;
};

template <typename Scalar>
Element<Scalar> *elements(const at::Tensor &t) {
  return reinterpret_cast<Element<Scalar> *>(t.data_ptr<Scalar>());
}

at::Tensor dense(const at::Tensor &t, at::MemoryFormat format) {
  return t.contiguous(t.dim() >= 4 ? format : at::MemoryFormat::Contiguous);
}

// The membrane state in the layout of one step and in the computing type.
template <typename Real>
at::Tensor dense_state(const at::Tensor &state, at::MemoryFormat format) {
  return dense(state.to(c10::CppTypeToScalarType<Real>::value), format);
}

bool present(const optional<at::Tensor> &t) {
  return t.has_value() && t->defined();
}

// Membranes are kept in float32 (float64 for float64 currents).
at::Tensor empty_state(const at::Tensor &current, int64_t steps,
                       at::MemoryFormat format) {
  auto shape = current.sizes().vec();
  shape[0] /= steps;
  const auto type =
      current.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return at::empty(
      shape, current.options().dtype(type).memory_format(
                 current.dim() >= 4 ? format : at::MemoryFormat::Contiguous));
}

}  // namespace

LifResult lif_cpu(const at::Tensor &current, const at::Tensor &temperature,
                  double tau, double threshold, int64_t steps,
                  const optional<at::Tensor> &membrane, bool keep_membrane) {
  check_lif(current, temperature, {tau, threshold, steps}, membrane);
  const auto format = current.suggest_memory_format();
  const at::Tensor input = dense(current, format);
  at::Tensor spikes = at::empty_like(input);
  // Autograd needs every output defined, so an unwanted one is empty.
  at::Tensor last = keep_membrane ? empty_state(input, steps, format)
                                  : at::empty({0}, input.options());
  const int64_t stride = input.numel() / steps;
  AT_DISPATCH_FLOATING_TYPES_AND(
      at::kBFloat16, input.scalar_type(), "lif", [&] {
        using Real = real_of<scalar_t>;
        const at::Tensor start = present(membrane)
                                     ? dense_state<Real>(*membrane, format)
                                     : at::Tensor();
        const Real *start_data =
            start.defined() ? start.data_ptr<Real>() : nullptr;
        Real *last_data = keep_membrane ? last.data_ptr<Real>() : nullptr;
        const auto *in = elements<scalar_t>(input);
        auto *out = elements<scalar_t>(spikes);
        at::parallel_for(0, stride, kGrain, [&](int64_t begin, int64_t end) {
          Real v[kBlock];
          for (int64_t first = begin; first < end; first += kBlock) {
            const int64_t n = std::min(kBlock, end - first);
            if (start_data != nullptr) {
              std::copy_n(start_data + first, n, v);
            } else {
              std::fill_n(v, n, Real(0));
            }
            forward_block(in + first, out + first, n, stride, steps,
                          static_cast<Real>(tau), static_cast<Real>(threshold),
                          v);
            if (last_data != nullptr) std::copy_n(v, n, last_data + first);
          }
        });
      });
  return {spikes, last};
}

LifResult lif_backward_cpu(const at::Tensor &grad_spikes,
                           const optional<at::Tensor> &grad_membrane,
                           const at::Tensor &current,
                           const at::Tensor &temperature, double tau,
                           double threshold, int64_t steps,
                           const optional<at::Tensor> &membrane) {
  const auto format = current.suggest_memory_format();
  const at::Tensor input = dense(current, format);
  const at::Tensor grads = dense(grad_spikes, format);
  at::Tensor grad_current = at::empty_like(input);
  at::Tensor grad_start =
      present(membrane) ? empty_state(input, steps, format) : at::Tensor();
  const int64_t stride = input.numel() / steps;
  AT_DISPATCH_FLOATING_TYPES_AND(
      at::kBFloat16, input.scalar_type(), "lif_backward", [&] {
        using Real = real_of<scalar_t>;
        const at::Tensor start = present(membrane)
                                     ? dense_state<Real>(*membrane, format)
                                     : at::Tensor();
        const at::Tensor grad_last =
            present(grad_membrane) ? dense_state<Real>(*grad_membrane, format)
                                   : at::Tensor();
        const Real *start_data =
            start.defined() ? start.data_ptr<Real>() : nullptr;
        const Real *grad_last_data =
            grad_last.defined() ? grad_last.data_ptr<Real>() : nullptr;
        Real *grad_start_data =
            grad_start.defined() ? grad_start.data_ptr<Real>() : nullptr;
        const auto *in = elements<scalar_t>(input);
        const auto *grad_in = elements<scalar_t>(grads);
        auto *grad_out = elements<scalar_t>(grad_current);
        const Temperatures<Real> temperatures(temperature, input);
        at::parallel_for(0, stride, kGrain, [&](int64_t begin, int64_t end) {
          Real v[kBlock], grad_v[kBlock], b[kBlock], scale[kBlock];
          std::vector<Real> potentials(kBlock * steps);
          for (int64_t first = begin; first < end; first += kBlock) {
            const int64_t n = std::min(kBlock, end - first);
            temperatures.fill(first, n, b, scale);
            if (start_data != nullptr) {
              std::copy_n(start_data + first, n, v);
            } else {
              std::fill_n(v, n, Real(0));
            }
            if (grad_last_data != nullptr) {
              std::copy_n(grad_last_data + first, n, grad_v);
            } else {
              std::fill_n(grad_v, n, Real(0));
            }
            backward_block(in + first, grad_in + first, grad_out + first, n,
                           stride, steps, static_cast<Real>(tau),
                           static_cast<Real>(threshold), b, scale, v, grad_v,
                           potentials.data());
            if (grad_start_data != nullptr) {
              std::copy_n(grad_v, n, grad_start_data + first);
            }
          }
        });
      });
  return {grad_current, grad_start};
}

}  // namespace spikedhs
