// From tensors to the raw arguments of lif_thread.h and back: checks, memory
// layout, results. `launch` is called with LifForward or LifBackward;
// everything else is the same on the GPU and where it is emulated.
#pragma once

#include <ATen/ATen.h>

#include <type_traits>

#include "lif.h"
#include "lif_launch.h"
#include "lif_rows.h"

namespace spikedhs {

// The element type as the kernels see it, and the type they compute in.
template <typename Scalar>
using LifElement = std::conditional_t<
    std::is_same<Scalar, at::BFloat16>::value, Bf16,
    std::conditional_t<std::is_same<Scalar, at::Half>::value, Fp16, Scalar>>;
template <typename Scalar>
using LifReal =
    std::conditional_t<std::is_same<Scalar, double>::value, double, float>;

template <typename Scalar>
LifElement<Scalar> *lif_elements(const at::Tensor &t) {
  return reinterpret_cast<LifElement<Scalar> *>(t.data_ptr<Scalar>());
}

// For whom tensors are prepared. A device's kernels know float16, and read
// inputs in rows; see LifRows.
constexpr bool kForCpu = false, kForDevice = true;

template <typename Scalar>
struct LifType {
  using type = Scalar;
};

// Calls body(LifType<Scalar>()) with the element type; `name` is the operator.
template <bool kDevice, typename Body>
void lif_dispatch(at::ScalarType type, const char *name, const Body &body) {
  switch (type) {
    case at::kFloat:
      return body(LifType<float>());
    case at::kDouble:
      return body(LifType<double>());
    case at::kBFloat16:
      return body(LifType<at::BFloat16>());
    case at::kHalf:
      if constexpr (kDevice) return body(LifType<at::Half>());
      [[fallthrough]];
    default:
      TORCH_CHECK(false, name, ": not implemented for elements of type ", type);
  }
}

inline bool lif_present(const optional<at::Tensor> &t) {
  return t.has_value() && t->defined();
}

inline void lif_check_device(const char *what, const optional<at::Tensor> &t,
                             const at::Tensor &current) {
  TORCH_CHECK(!lif_present(t) || t->device() == current.device(), "lif: the ",
              what, " is on ", t->device(), ", the current on ",
              current.device());
}

template <bool kDevice>
LifInput lif_input(const at::Tensor &t, at::MemoryFormat format,
                   int64_t steps) {
  return kDevice ? lif_rows_input(t, format, steps)
                 : lif_dense_input(t, format, steps);
}

// A membrane state in the layout of one step, on the device and in the type of
// the computation; an undefined tensor where there is none.
template <typename Real>
at::Tensor lif_state(const optional<at::Tensor> &state, const at::Tensor &like,
                     at::MemoryFormat format) {
  if (!lif_present(state)) return at::Tensor();
  return lif_dense(
      state->to(like.device(), c10::CppTypeToScalarType<Real>::value), format);
}

inline at::Tensor lif_empty_state(const at::Tensor &current, int64_t steps,
                                  at::MemoryFormat format) {
  auto shape = current.sizes().vec();
  shape[0] /= steps;
  const auto type =
      current.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return at::empty(
      shape, current.options().dtype(type).memory_format(
                 current.dim() >= 4 ? format : at::MemoryFormat::Contiguous));
}

template <typename Real>
Real *lif_pointer(const at::Tensor &t) {
  return t.defined() ? t.data_ptr<Real>() : nullptr;
}

template <bool kDevice, typename Launch>
LifResult lif_forward_tensors(const at::Tensor &current,
                              const at::Tensor &temperature, double tau,
                              double threshold, int64_t steps,
                              const optional<at::Tensor> &membrane,
                              bool keep_membrane, int64_t surrogate,
                              const optional<at::Tensor> &table,
                              const Launch &launch) {
  check_lif(current, temperature, {tau, threshold, steps, surrogate}, membrane,
            table);
  if (kDevice) lif_check_device("membrane state", membrane, current);
  const auto format = current.suggest_memory_format();
  const LifInput in = lif_input<kDevice>(current, format, steps);
  const at::Tensor &input = in.tensor;
  at::Tensor spikes = lif_empty_like(in, format);
  // Autograd needs every output defined, so an unwanted one is empty.
  at::Tensor last = keep_membrane ? lif_empty_state(input, steps, format)
                                  : at::empty({0}, input.options());
  lif_dispatch<kDevice>(input.scalar_type(), "lif", [&](auto element) {
    using scalar_t = typename decltype(element)::type;
    using Real = LifReal<scalar_t>;
    const at::Tensor start = lif_state<Real>(membrane, input, format);
    LifForward<LifElement<scalar_t>, Real> p;
    p.current = lif_elements<scalar_t>(input);
    p.current_rows = in.rows;
    p.spikes = lif_elements<scalar_t>(spikes);
    p.start = lif_pointer<Real>(start);
    p.last = keep_membrane ? last.data_ptr<Real>() : nullptr;
    p.neurons = input.numel() / steps;
    p.steps = steps;
    p.tau = static_cast<Real>(tau);
    p.vth = static_cast<Real>(threshold);
    launch(p);
  });
  return LifResult(spikes, last);
}

template <bool kDevice, typename Launch>
LifResult lif_backward_tensors(
    const at::Tensor &grad_spikes, const optional<at::Tensor> &grad_membrane,
    const at::Tensor &current, const at::Tensor &temperature, double tau,
    double threshold, int64_t steps, const optional<at::Tensor> &membrane,
    int64_t surrogate, const optional<at::Tensor> &table,
    const Launch &launch) {
  check_surrogate(surrogate, table);
  if (kDevice) {
    lif_check_device("gradient of the spikes", grad_spikes, current);
    lif_check_device("gradient of the membrane", grad_membrane, current);
    lif_check_device("membrane state", membrane, current);
  }
  const auto format = current.suggest_memory_format();
  const LifInput in = lif_input<kDevice>(current, format, steps);
  const LifInput grads = lif_input<kDevice>(grad_spikes, format, steps);
  const at::Tensor &input = in.tensor;
  at::Tensor grad_current = lif_empty_like(in, format);
  at::Tensor grad_start = lif_present(membrane)
                              ? lif_empty_state(input, steps, format)
                              : at::Tensor();
  // Neighbouring neurons of one channel: a plane in contiguous layout, one in
  // channels-last.
  int64_t run = 1;
  if (input.dim() > 2 &&
      input.suggest_memory_format() == at::MemoryFormat::Contiguous) {
    for (int64_t d = 2; d < input.dim(); d++) run *= input.size(d);
  }
  lif_dispatch<kDevice>(input.scalar_type(), "lif_backward", [&](auto element) {
    using scalar_t = typename decltype(element)::type;
    using Real = LifReal<scalar_t>;
    const auto type = c10::CppTypeToScalarType<Real>::value;
    const at::Tensor start = lif_state<Real>(membrane, input, format);
    const at::Tensor grad_last = lif_state<Real>(grad_membrane, input, format);
    const at::Tensor b = temperature.to(input.device(), type).contiguous();
    const int64_t neurons = input.numel() / steps;
    const at::Tensor checkpoints = at::empty({lif_checkpoints(steps) * neurons},
                                             input.options().dtype(type));
    LifBackward<LifElement<scalar_t>, Real> p;
    p.current = lif_elements<scalar_t>(input);
    p.current_rows = in.rows;
    p.grad_spikes = lif_elements<scalar_t>(grads.tensor);
    p.grad_rows = grads.rows;
    p.grad_current = lif_elements<scalar_t>(grad_current);
    p.start = lif_pointer<Real>(start);
    p.grad_last = lif_pointer<Real>(grad_last);
    p.grad_start = lif_pointer<Real>(grad_start);
    const at::Tensor values = lif_present(table)
                                  ? table->to(input.device(), type).contiguous()
                                  : at::Tensor();
    p.family = static_cast<Family>(surrogate);
    p.table.values = lif_pointer<Real>(values);
    p.table.rows = values.defined() ? values.size(0) : 0;
    p.table.columns = values.defined() ? values.size(1) : 0;
    p.temperature = b.data_ptr<Real>();
    p.channels = b.numel();
    p.run = run;
    p.checkpoints = checkpoints.data_ptr<Real>();
    p.neurons = neurons;
    p.steps = steps;
    p.tau = static_cast<Real>(tau);
    p.vth = static_cast<Real>(threshold);
    launch(p);
  });
  return LifResult(grad_current, grad_start);
}

}  // namespace spikedhs
