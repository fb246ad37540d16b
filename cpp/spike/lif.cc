// Registration of spikedhs::lif with its gradient.
//
// `lif` and `lif_backward` have kernels of their own for CUDA (lif_device.cc)
// and, in cpp/cpu, for the CPU, and a composed form for the rest; autograd sees
// one node for the whole scan over T.
#include "lif.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "dispatched.h"
#include "surrogate.h"

namespace spikedhs {

std::string lif_schema(const char *name) {
  return std::string(name) +
         "(Tensor current, Tensor temperature, float tau, float threshold, "
         "int steps, Tensor? membrane=None, bool keep_membrane=False, "
         "int surrogate=0, Tensor? table=None) -> "
         "(Tensor spikes, Tensor membrane_out)";
}

std::string lif_backward_schema(const char *name) {
  return std::string(name) +
         "(Tensor grad_spikes, Tensor? grad_membrane, Tensor current, "
         "Tensor temperature, float tau, float threshold, int steps, "
         "Tensor? membrane, int surrogate=0, Tensor? table=None) -> "
         "(Tensor grad_current, Tensor grad_membrane_in)";
}

void check_surrogate(int64_t surrogate, const optional<at::Tensor> &table) {
  TORCH_CHECK(surrogate >= 0 && surrogate < kFamilies,
              "surrogate: there is no family ", surrogate, ", the last is ",
              kFamilies - 1);
  const bool wanted = surrogate == static_cast<int64_t>(Family::kTable);
  const bool given = table.has_value() && table->defined();
  TORCH_CHECK(wanted == given, "surrogate: family ", surrogate,
              wanted ? " needs a table" : " has no table");
  TORCH_CHECK(!given || (table->is_floating_point() && table->dim() == 2 &&
                         table->size(0) >= 1 && table->size(1) >= 2 &&
                         table->numel() <= (int64_t{1} << 28)),
              "surrogate: a table must be floating point [rows, columns], at "
              "least 1 x 2 and at most 2^28 numbers");
}

void check_lif(const at::Tensor &current, const at::Tensor &temperature,
               const LifOptions &options, const optional<at::Tensor> &membrane,
               const optional<at::Tensor> &table) {
  TORCH_CHECK(current.is_floating_point(),
              "lif: the current must be floating point, is ",
              current.scalar_type());
  TORCH_CHECK(options.steps > 0, "lif: steps must be positive, is ",
              options.steps);
  TORCH_CHECK(current.dim() >= 1 && current.size(0) % options.steps == 0,
              "lif: dimension 0 of the current must be steps * batch; shape ",
              current.sizes(), " with ", options.steps, " steps");
  TORCH_CHECK(options.tau >= 0, "lif: tau must not be negative, is ",
              options.tau);
  const int64_t n = temperature.numel();
  TORCH_CHECK(n == 1 || (current.dim() >= 2 && n == current.size(1)),
              "lif: one temperature, or one for each of the channels; got ", n,
              " for shape ", current.sizes());
  if (membrane.has_value() && membrane->defined()) {
    auto expected = current.sizes().vec();
    expected[0] /= options.steps;
    TORCH_CHECK(membrane->sizes() == at::IntArrayRef(expected),
                "lif: the membrane state has shape ", membrane->sizes(),
                ", the current needs ", at::IntArrayRef(expected),
                "; reset the state when the batch or image size changes");
  }
  check_surrogate(options.surrogate, table);
}

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct LifFunction : torch::autograd::Function<LifFunction> {
  static variable_list forward(AutogradContext *context,
                               const at::Tensor &current,
                               const at::Tensor &temperature, double tau,
                               double threshold, int64_t steps,
                               const optional<at::Tensor> &membrane,
                               bool keep_membrane, int64_t surrogate,
                               const optional<at::Tensor> &table) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward({current, temperature,
                                membrane.value_or(at::Tensor()),
                                table.value_or(at::Tensor())});
    context->saved_data["surrogate"] = surrogate;
    context->saved_data["tau"] = tau;
    context->saved_data["threshold"] = threshold;
    context->saved_data["steps"] = steps;
    // No zeros in the place of a gradient that there is not: a launch a layer.
    context->set_materialize_grads(false);
    static const auto op = dispatched<decltype(lif_composed)>("spikedhs::lif");
    auto [spikes, last] = op.call(current, temperature, tau, threshold, steps,
                                  membrane, keep_membrane, surrogate, table);
    return {spikes, last};
  }

  static variable_list backward(AutogradContext *context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &current = saved[0];
    at::Tensor grad_spikes = grads[0];
    if (!grad_spikes.defined()) grad_spikes = at::zeros_like(current);
    const int64_t steps = context->saved_data["steps"].toInt();
    optional<at::Tensor> grad_membrane;
    if (grads[1].defined() && grads[1].numel() == grad_spikes.numel() / steps) {
      grad_membrane = grads[1];
    }
    static const auto op =
        dispatched<decltype(lif_backward_composed)>("spikedhs::lif_backward");
    auto [grad_current, grad_start] =
        op.call(grad_spikes, grad_membrane, current, saved[1],
                context->saved_data["tau"].toDouble(),
                context->saved_data["threshold"].toDouble(), steps,
                if_defined(saved[2]), context->saved_data["surrogate"].toInt(),
                if_defined(saved[3]));
    const at::Tensor none;  // temperature and numbers carry no gradient
    return {grad_current, none, none, none, none, grad_start, none, none, none};
  }
};

LifResult lif_autograd(const at::Tensor &current, const at::Tensor &temperature,
                       double tau, double threshold, int64_t steps,
                       const optional<at::Tensor> &membrane, bool keep_membrane,
                       int64_t surrogate, const optional<at::Tensor> &table) {
  auto result = LifFunction::apply(current, temperature, tau, threshold, steps,
                                   membrane, keep_membrane, surrogate, table);
  return {result[0], result[1]};
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY(spikedhs, library) {
  library.def(spikedhs::lif_schema("lif").c_str());
  library.def(spikedhs::lif_backward_schema("lif_backward").c_str());
  // The fallback under a name of its own, for comparison on any device.
  library.def(spikedhs::lif_schema("lif_composed").c_str(),
              &spikedhs::lif_composed);
  // dy/du by itself, for statistics of membranes.
  library.def(
      "surrogate(Tensor u, Tensor temperature, float threshold, "
      "int surrogate=0, Tensor? table=None) -> Tensor",
      &spikedhs::surrogate_composed);
}

TORCH_LIBRARY_IMPL(spikedhs, CompositeExplicitAutograd, library) {
  library.impl("lif", &spikedhs::lif_composed);
  library.impl("lif_backward", &spikedhs::lif_backward_composed);
}

TORCH_LIBRARY_IMPL(spikedhs, Autograd, library) {
  library.impl("lif", &spikedhs::lif_autograd);
}
