// The LIF scan by ATen operators: slow, simple, on every device.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "lif.h"

namespace spikedhs {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Membranes are computed in at least 32 bits.
at::Tensor wide(const at::Tensor &t) {
  return t.scalar_type() == at::kDouble ? t : t.to(at::kFloat);
}

// Temperatures shaped to broadcast over [N, C, ...].
at::Tensor broadcast_temperature(const at::Tensor &temperature,
                                 const at::Tensor &like) {
  at::Tensor b = temperature.to(like.options());
  if (b.numel() == 1) return b.reshape({1});
  std::vector<int64_t> shape(like.dim(), 1);
  shape[1] = b.numel();
  return b.reshape(shape);
}

at::Tensor surrogate(const at::Tensor &u, const at::Tensor &b,
                     double threshold) {
  const at::Tensor x = u - threshold;
  const at::Tensor hyperbolic = at::tanh(b * x);
  const at::Tensor slope =
      0.5 * b * (1 - hyperbolic * hyperbolic) / at::tanh(0.5 * b);
  const at::Tensor inside =
      at::logical_and(u > threshold - 0.5, u < threshold + 0.5);
  return at::where(inside, slope, at::zeros_like(slope));
}

// The step function whose gradient is the surrogate.
struct Spike : torch::autograd::Function<Spike> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &u,
                            const at::Tensor &b, double threshold) {
    context->save_for_backward({u, b});
    context->saved_data["threshold"] = threshold;
    return (u > threshold).to(u.scalar_type());
  }
  static variable_list backward(AutogradContext *context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const double threshold = context->saved_data["threshold"].toDouble();
    return {grads[0] * surrogate(saved[0], saved[1], threshold), at::Tensor(),
            at::Tensor()};
  }
};

}  // namespace

LifResult lif_composed(const at::Tensor &current, const at::Tensor &temperature,
                       double tau, double threshold, int64_t steps,
                       const optional<at::Tensor> &membrane,
                       bool keep_membrane) {
  check_lif(current, temperature, {tau, threshold, steps}, membrane);
  const auto currents = wide(current).chunk(steps, 0);
  const at::Tensor b = broadcast_temperature(temperature, currents[0]);
  at::Tensor v;
  if (membrane.has_value() && membrane->defined()) {
    v = membrane->to(currents[0].scalar_type());
  } else {
    v = at::zeros_like(currents[0]);
  }
  std::vector<at::Tensor> spikes;
  spikes.reserve(steps);
  for (const auto &step_current : currents) {
    const at::Tensor u = tau * v + step_current;
    const at::Tensor y = Spike::apply(u, b, threshold);
    v = u * (1 - y);
    spikes.push_back(y);
  }
  return {at::cat(spikes, 0).to(current.scalar_type()),
          keep_membrane ? v : at::empty({0}, v.options())};
}

LifResult lif_backward_composed(const at::Tensor &grad_spikes,
                                const optional<at::Tensor> &grad_membrane,
                                const at::Tensor &current,
                                const at::Tensor &temperature, double tau,
                                double threshold, int64_t steps,
                                const optional<at::Tensor> &membrane) {
  const auto currents = wide(current).chunk(steps, 0);
  const auto grads = wide(grad_spikes).chunk(steps, 0);
  const at::Tensor b = broadcast_temperature(temperature, currents[0]);
  const bool has_state = membrane.has_value() && membrane->defined();
  at::Tensor v = has_state ? membrane->to(currents[0].scalar_type())
                           : at::zeros_like(currents[0]);
  std::vector<at::Tensor> potentials;
  for (const auto &step_current : currents) {
    const at::Tensor u = tau * v + step_current;
    potentials.push_back(u);
    v = u * (u <= threshold).to(u.scalar_type());
  }
  at::Tensor grad_v = grad_membrane.has_value() && grad_membrane->defined()
                          ? *grad_membrane
                          : at::zeros_like(currents[0]);
  std::vector<at::Tensor> grad_currents(steps);
  for (int64_t t = steps - 1; t >= 0; t--) {
    const at::Tensor &u = potentials[t];
    const at::Tensor silent = (u <= threshold).to(u.scalar_type());
    const at::Tensor grad_u =
        grad_v * silent + (grads[t] - grad_v * u) * surrogate(u, b, threshold);
    grad_currents[t] = grad_u;
    grad_v = tau * grad_u;
  }
  return {at::cat(grad_currents, 0).to(current.scalar_type()),
          has_state ? grad_v : at::Tensor()};
}

}  // namespace spikedhs
