// Registration of spikedhs::cell with its gradient: one graph node a cell.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "cell.h"
#include "cell_kernels.h"
#include "lif.h"

namespace spikedhs {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A trace as a flat list for the graph, and back.
variable_list pack(const CellTrace &trace) {
  variable_list list{trace.s0, trace.s1};
  for (const auto *part : {&trace.weights, &trace.y, &trace.mean,
                           &trace.inverse, &trace.spikes, &trace.sums}) {
    list.insert(list.end(), part->begin(), part->end());
  }
  return list;
}

CellTrace unpack(const CellPlan &plan, const variable_list &list, size_t at) {
  CellTrace trace;
  const auto take = [&](size_t n) {
    std::vector<at::Tensor> part(list.begin() + at, list.begin() + at + n);
    at += n;
    return part;
  };
  trace.s0 = list[at++];
  trace.s1 = list[at++];
  trace.weights = take(plan.fans.size());
  trace.y = take(plan.fans.size());
  trace.mean = take(plan.fans.size());
  trace.inverse = take(plan.fans.size());
  trace.spikes = take(plan.nodes);
  trace.sums = take(plan.nodes);
  return trace;
}

void check_cell(const CellPlan &plan, const at::Tensor &s0,
                const at::Tensor &s1, const optional<at::Tensor> &mix,
                at::TensorList parameters, at::TensorList buffers,
                int64_t type) {
  const auto fans = static_cast<int64_t>(plan.fans.size());
  TORCH_CHECK(fans > 0, "cell: there is no convolution");
  TORCH_CHECK(fans <= kMostParts, "cell: more than ", kMostParts, " sources");
  TORCH_CHECK(
      static_cast<int64_t>(parameters.size()) == fans * kFanParameters &&
          static_cast<int64_t>(buffers.size()) ==
              fans * fan_buffers(plan) + plan.nodes,
      "cell: ", parameters.size(), " parameters and ", buffers.size(),
      " buffers do not fit a plan of ", fans, " fans and ", plan.nodes,
      " nodes");
  TORCH_CHECK(type == static_cast<int64_t>(at::kFloat) ||
                  type == static_cast<int64_t>(at::kBFloat16),
              "cell: computes in float32 or bfloat16");
  for (const auto &x : {s0, s1}) {
    TORCH_CHECK(x.dim() == 4 && x.size(0) % plan.steps == 0,
                "cell: an input must be [steps*N, C, H, W] with ", plan.steps,
                " steps, has shape ", x.sizes());
  }
  TORCH_CHECK(plan.planes == 0 || s1.size(0) % (plan.steps * plan.planes) == 0,
              "cell: an input must be [steps*N*planes, C, H, W] with ",
              plan.planes, " planes, has shape ", s1.sizes());
  for (int64_t f = 0; f < fans; f++) {
    const auto &fan = plan.fans[f];
    const at::Tensor &weight = parameters[f * kFanParameters];
    TORCH_CHECK(
        weight.dim() == (plan.planes > 0 ? 5 : 4) &&
            (weight.dim() == 4 || weight.size(2) == 1 || weight.size(2) == 3),
        "cell: the weight of fan ", f, " has shape ", weight.sizes(),
        ", which does not fit ", plan.planes, " planes");
    const int64_t channels =
        static_cast<int64_t>(fan.readers.size()) * plan.width;
    for (int64_t p = 0; p < kFanParameters; p++) {
      const at::Tensor &t = parameters[f * kFanParameters + p];
      TORCH_CHECK(t.scalar_type() == at::kFloat && t.is_contiguous() &&
                      t.dim() > 0 && t.size(0) == channels,
                  "cell: parameter ", p, " of fan ", f,
                  " must be float32 with ", channels, " channels");
    }
    int64_t node = -1;
    for (const auto &reader : fan.readers) {
      TORCH_CHECK(reader.node >= node && reader.node < plan.nodes &&
                      reader.node >= fan.source - 1,
                  "cell: readers of a source must be in the order of nodes");
      node = reader.node;
      TORCH_CHECK(reader.weight < 0 ||
                      (mix.has_value() && reader.weight < mix->numel()),
                  "cell: weight ", reader.weight, " is not in the mixture");
    }
  }
  for (const auto &skip : plan.skips) {
    TORCH_CHECK(
        skip.weight < 0 || (mix.has_value() && skip.weight < mix->numel()),
        "cell: weight ", skip.weight, " is not in the mixture");
  }
}

CellConstants constants_of(double tau, double threshold, double momentum,
                           double epsilon, int64_t surrogate,
                           const optional<at::Tensor> &table) {
  check_surrogate(surrogate, table);
  CellConstants constants{tau,     threshold, momentum,
                          epsilon, surrogate, at::Tensor()};
  if (table.has_value() && table->defined()) {
    constants.table = table->to(at::kCPU, at::kFloat).contiguous();
  }
  return constants;
}

struct CellFunction : torch::autograd::Function<CellFunction> {
  static at::Tensor forward(
      AutogradContext *context, const at::Tensor &s0, const at::Tensor &s1,
      const optional<at::Tensor> &mix, at::TensorList parameters,
      const std::vector<at::Tensor> &buffers, at::IntArrayRef code, double tau,
      double threshold, double momentum, double epsilon, int64_t type,
      bool recompute, int64_t surrogate, const optional<at::Tensor> &table) {
    at::AutoDispatchBelowADInplaceOrView below;
    const CellPlan plan(code);
    check_cell(plan, s0, s1, mix, parameters, buffers, type);
    const CellConstants constants =
        constants_of(tau, threshold, momentum, epsilon, surrogate, table);
    CellTrace trace;
    const at::Tensor out =
        cell_forward(plan, constants, s0, s1, mix, parameters, buffers,
                     static_cast<at::ScalarType>(type),
                     /*update=*/true, &trace);
    variable_list saved{mix.value_or(at::Tensor())};
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    if (recompute) {
      saved.push_back(trace.s0);
      saved.push_back(trace.s1);
    } else {
      const auto list = pack(trace);
      saved.insert(saved.end(), list.begin(), list.end());
    }
    context->save_for_backward(saved);
    // Not saved as variables: running statistics change between the passes.
    context->saved_data["buffers"] = buffers;
    context->saved_data["code"] = code.vec();
    context->saved_data["constants"] =
        std::vector<double>{tau, threshold, momentum, epsilon};
    context->saved_data["recompute"] = recompute;
    context->saved_data["surrogate"] = surrogate;
    std::vector<at::Tensor> tables;
    if (constants.table.defined()) tables.push_back(constants.table);
    context->saved_data["table"] = tables;
    return out;
  }

  static variable_list backward(AutogradContext *context, variable_list grads) {
    at::AutoDispatchBelowADInplaceOrView below;
    const CellPlan plan(context->saved_data["code"].toIntVector());
    const auto numbers = context->saved_data["constants"].toDoubleVector();
    const auto tables = context->saved_data["table"].toTensorVector();
    const CellConstants constants{numbers[0],
                                  numbers[1],
                                  numbers[2],
                                  numbers[3],
                                  context->saved_data["surrogate"].toInt(),
                                  tables.empty() ? at::Tensor() : tables[0]};
    const auto buffers = context->saved_data["buffers"].toTensorVector();
    auto saved = context->get_saved_variables();
    const size_t count = plan.fans.size() * kFanParameters;
    const std::vector<at::Tensor> parameters(saved.begin() + 1,
                                             saved.begin() + 1 + count);
    const optional<at::Tensor> mix = if_defined(saved[0]);
    CellTrace trace;
    if (context->saved_data["recompute"].toBool()) {
      const at::Tensor s0 = saved[1 + count], s1 = saved[2 + count];
      cell_forward(plan, constants, s0, s1, mix, parameters, buffers,
                   s0.scalar_type(), /*update=*/false, &trace);
    } else {
      trace = unpack(plan, saved, 1 + count);
    }
    saved.clear();
    // Edges are numbered without the absent mixture.
    const size_t first = mix.has_value() ? 3 : 2;
    CellNeeds needs;
    needs.s0 = context->needs_input_grad(0);
    needs.s1 = context->needs_input_grad(1);
    needs.mix = mix.has_value() && context->needs_input_grad(2);
    for (size_t f = 0; f < plan.fans.size(); f++) {
      bool any = false;
      for (size_t p = 0; p < kFanParameters; p++) {
        any |= context->needs_input_grad(first + f * kFanParameters + p);
      }
      needs.weight.push_back(any);
    }
    CellGrads result = cell_backward(plan, constants, grads[0], mix, parameters,
                                     buffers, needs, std::move(trace));
    variable_list list{result.s0, result.s1, result.mix};
    list.insert(list.end(), result.parameters.begin(), result.parameters.end());
    list.resize(list.size() + 10);  // the rest carries no gradient
    return list;
  }
};

at::Tensor cell_autograd(const at::Tensor &s0, const at::Tensor &s1,
                         const optional<at::Tensor> &mix,
                         at::TensorList parameters, at::TensorList buffers,
                         at::IntArrayRef plan, double tau, double threshold,
                         double momentum, double epsilon, int64_t type,
                         bool recompute, int64_t surrogate,
                         const optional<at::Tensor> &table) {
  return CellFunction::apply(s0, s1, mix, parameters, buffers.vec(), plan, tau,
                             threshold, momentum, epsilon, type, recompute,
                             surrogate, table);
}

at::Tensor cell_cpu(const at::Tensor &s0, const at::Tensor &s1,
                    const optional<at::Tensor> &mix, at::TensorList parameters,
                    at::TensorList buffers, at::IntArrayRef code, double tau,
                    double threshold, double momentum, double epsilon,
                    int64_t type, bool /*recompute*/, int64_t surrogate,
                    const optional<at::Tensor> &table) {
  const CellPlan plan(code);
  check_cell(plan, s0, s1, mix, parameters, buffers, type);
  CellTrace trace;
  const CellConstants constants =
      constants_of(tau, threshold, momentum, epsilon, surrogate, table);
  return cell_forward(plan, constants, s0, s1, mix, parameters, buffers,
                      static_cast<at::ScalarType>(type),
                      /*update=*/true, &trace);
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, library) {
  library.def(
      "cell(Tensor s0, Tensor s1, Tensor? mix, Tensor[] parameters, "
      "Tensor[] buffers, int[] plan, float tau, float threshold, "
      "float momentum, float epsilon, int dtype, bool recompute=False, "
      "int surrogate=0, Tensor? table=None) -> Tensor");
}

TORCH_LIBRARY_IMPL(spikedhs, CPU, library) {
  library.impl("cell", &spikedhs::cell_cpu);
}

TORCH_LIBRARY_IMPL(spikedhs, AutogradCPU, library) {
  library.impl("cell", &spikedhs::cell_autograd);
}
