// The LIF scan (eq. 1 and 2) by ATen operators: slow, simple, on every device.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "lif.h"
#include "surrogate.h"

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

at::Tensor zero_unless(const at::Tensor &inside, const at::Tensor &slope) {
  return at::where(inside, slope, at::zeros_like(slope));
}

// See DerivativeTable; table is in the type and on the device of z.
at::Tensor from_table(const at::Tensor &z, const at::Tensor &b,
                      const at::Tensor &table) {
  const int64_t rows = table.size(0), columns = table.size(1);
  const at::Tensor inside = at::logical_and(z > -kTableReach, z < kTableReach);
  const at::Tensor place = (zero_unless(inside, z) + kTableReach) *
                           (static_cast<double>(columns - 1) / 2 / kTableReach);
  const at::Tensor row = (at::log2(b / kTableLowest) *
                          (static_cast<double>(rows - 1) / kTableOctaves))
                             .clamp(0, static_cast<double>(rows - 1));
  const at::Tensor column = place.to(at::kLong).clamp(0, columns - 2);
  const at::Tensor across = place - column;
  const at::Tensor above = row.to(at::kLong);
  const at::Tensor below = (above + 1).clamp(0, rows - 1);
  const at::Tensor flat = table.reshape({-1});
  const auto between = [&](const at::Tensor &r) {
    const at::Tensor at = r * columns + column;
    const at::Tensor left = flat.take(at);
    return left + across * (flat.take(at + 1) - left);
  };
  const at::Tensor first = between(above);
  return zero_unless(inside,
                     b * (first + (row - above) * (between(below) - first)));
}

// Formulas and sources are in surrogate.h.
at::Tensor derivative(const at::Tensor &u, const at::Tensor &b,
                      double threshold, int64_t family,
                      const optional<at::Tensor> &table) {
  const at::Tensor x = u - threshold;
  const at::Tensor z = b * x;
  switch (static_cast<Family>(family)) {
    case Family::kTriangular:
      return b * (1 - z.abs()).clamp_min(0);
    case Family::kSuperSpike:
      return (1 + z.abs()).pow(-2);
    case Family::kArcTan:
      return b / 2 / (1 + (M_PI / 2 * z).square());
    case Family::kRectangular:
      return b * (z.abs() < 0.5).to(u.scalar_type());
    case Family::kExponential:
      return b / 2 * at::exp(-z.abs());
    case Family::kTable:
      return from_table(z, b, table->to(z.options()));
    default:
      break;
  }
  const at::Tensor hyperbolic = at::tanh(z);
  const at::Tensor slope =
      0.5 * b * (1 - hyperbolic * hyperbolic) / at::tanh(0.5 * b);
  return zero_unless(at::logical_and(u > threshold - 0.5, u < threshold + 0.5),
                     slope);
}

// The step function whose gradient is the surrogate.
struct Spike : torch::autograd::Function<Spike> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &u,
                            const at::Tensor &b, double threshold,
                            int64_t family, const optional<at::Tensor> &table) {
    context->save_for_backward({u, b, table.value_or(at::Tensor())});
    context->saved_data["threshold"] = threshold;
    context->saved_data["family"] = family;
    return (u > threshold).to(u.scalar_type());
  }
  static variable_list backward(AutogradContext *context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const double threshold = context->saved_data["threshold"].toDouble();
    const at::Tensor slope =
        derivative(saved[0], saved[1], threshold,
                   context->saved_data["family"].toInt(), if_defined(saved[2]));
    const at::Tensor none;
    return {grads[0] * slope, none, none, none, none};
  }
};

}  // namespace

at::Tensor surrogate_composed(const at::Tensor &u,
                              const at::Tensor &temperature, double threshold,
                              int64_t surrogate,
                              const optional<at::Tensor> &table) {
  check_lif(u, temperature, {0, threshold, 1, surrogate}, {}, table);
  const at::Tensor potential = wide(u);
  return derivative(potential, broadcast_temperature(temperature, potential),
                    threshold, surrogate, table)
      .to(u.scalar_type());
}

LifResult lif_composed(const at::Tensor &current, const at::Tensor &temperature,
                       double tau, double threshold, int64_t steps,
                       const optional<at::Tensor> &membrane, bool keep_membrane,
                       int64_t surrogate, const optional<at::Tensor> &table) {
  check_lif(current, temperature, {tau, threshold, steps, surrogate}, membrane,
            table);
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
    const at::Tensor y = Spike::apply(u, b, threshold, surrogate, table);
    v = u * (1 - y);
    spikes.push_back(y);
  }
  return {at::cat(spikes, 0).to(current.scalar_type()),
          keep_membrane ? v : at::empty({0}, v.options())};
}

LifResult lif_backward_composed(
    const at::Tensor &grad_spikes, const optional<at::Tensor> &grad_membrane,
    const at::Tensor &current, const at::Tensor &temperature, double tau,
    double threshold, int64_t steps, const optional<at::Tensor> &membrane,
    int64_t surrogate, const optional<at::Tensor> &table) {
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
        grad_v * silent +
        (grads[t] - grad_v * u) * derivative(u, b, threshold, surrogate, table);
    grad_currents[t] = grad_u;
    grad_v = tau * grad_u;
  }
  return {at::cat(grad_currents, 0).to(current.scalar_type()),
          has_state ? grad_v : at::Tensor()};
}

}  // namespace spikedhs
