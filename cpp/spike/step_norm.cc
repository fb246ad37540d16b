// A batch normalisation with statistics for each time step, as one over steps
// times as many channels: a few launches, not as many as there are steps.
//
// Made of libtorch's operators; it runs everywhere.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <cmath>
#include <vector>

namespace spikedhs {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Rows of x [steps*N, ...] of one step.
int64_t rows_of(const at::Tensor &x, int64_t steps) {
  TORCH_CHECK(
      steps > 0 && (x.dim() == 2 || x.dim() == 4) && x.size(0) % steps == 0,
      "step_norm: the input must be [steps*N, C] or [steps*N, C, H, W] "
      "with ",
      steps, " steps, has shape ", x.sizes());
  return x.size(0) / steps;
}

// [steps*N, C, ...] to [N, steps*C, ...], images with channels last.
at::Tensor steps_to_channels(const at::Tensor &x, int64_t steps) {
  const int64_t n = rows_of(x, steps), c = x.size(1);
  if (x.dim() == 2) {
    return x.reshape({steps, n, c}).transpose(0, 1).reshape({n, steps * c});
  }
  const int64_t h = x.size(2), w = x.size(3);
  return x.permute({0, 2, 3, 1})
      .reshape({steps, n, h, w, c})
      .permute({1, 2, 3, 0, 4})
      .reshape({n, h, w, steps * c})
      .permute({0, 3, 1, 2});
}

// Back from there.
at::Tensor channels_to_steps(const at::Tensor &x, int64_t steps) {
  const int64_t n = x.size(0), c = x.size(1) / steps;
  if (x.dim() == 2) {
    return x.reshape({n, steps, c}).transpose(0, 1).reshape({steps * n, c});
  }
  const int64_t h = x.size(2), w = x.size(3);
  return x.permute({0, 2, 3, 1})
      .reshape({n, h, w, steps, c})
      .permute({3, 0, 1, 2, 4})
      .reshape({steps * n, h, w, c})
      .permute({0, 3, 1, 2});
}

// Normalises x [steps*N, C, ...] by the statistics of each step. weight and
// bias have the affine parameters of all steps, [steps*C]; mean and variance of
// the same shape are overwritten by the statistics (the variance without bias).
at::Tensor step_norm(const at::Tensor &x, const at::Tensor &weight,
                     const at::Tensor &bias, const at::Tensor &mean,
                     const at::Tensor &variance, int64_t steps,
                     double epsilon) {
  const at::Tensor y = at::batch_norm(
      steps_to_channels(x, steps), weight, bias, mean, variance,
      /*training=*/true, /*momentum=*/1, epsilon, /*cudnn_enabled=*/false);
  return channels_to_steps(y, steps);
}

// Each tensor [C] as often as there are steps, [steps*C], with a gradient.
struct TileTogether : torch::autograd::Function<TileTogether> {
  static variable_list forward(AutogradContext *context, at::TensorList list,
                               int64_t steps) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->saved_data["steps"] = steps;
    context->set_materialize_grads(false);
    std::vector<at::Tensor> copies;
    copies.reserve(list.size() * steps);
    for (const at::Tensor &t : list) copies.insert(copies.end(), steps, t);
    const at::Tensor flat = at::cat(copies);
    variable_list tiles;
    int64_t start = 0;
    for (const at::Tensor &t : list) {
      tiles.push_back(flat.as_strided({steps * t.numel()}, {1}, start));
      start += steps * t.numel();
    }
    return tiles;
  }

  static variable_list backward(AutogradContext *context,
                                const variable_list &gradients) {
    const int64_t steps = context->saved_data["steps"].toInt();
    const auto of_step = [&](int64_t step) {
      std::vector<at::Tensor> parts;
      for (const at::Tensor &g : gradients) {
        if (!g.defined()) continue;
        const int64_t c = g.numel() / steps;
        parts.push_back(g.narrow(0, step * c, c));
      }
      return parts;
    };
    variable_list result(gradients.size() + 1);  // the steps have none
    auto sums = of_step(0);
    if (sums.empty()) return result;
    for (int64_t step = 1; step < steps; step++) {
      if (step == 1) {
        sums = at::_foreach_add(sums, of_step(step));
      } else {
        at::_foreach_add_(sums, of_step(step));
      }
    }
    for (size_t i = 0, next = 0; i < gradients.size(); i++) {
      if (gradients[i].defined()) result[i] = sums[next++];
    }
    return result;
  }
};

std::vector<at::Tensor> tile_together(at::TensorList list, int64_t steps) {
  TORCH_CHECK(list.size() > 0 && steps > 0, "tile_together: nothing to tile");
  for (const at::Tensor &t : list) {
    TORCH_CHECK(t.dim() == 1, "tile_together: a tensor has shape ", t.sizes(),
                ", want [C]");
  }
  return TileTogether::apply(list, steps);
}

// Moves running statistics by those of all steps, one step after the other, as
// step_norm gives them: running = (1 - momentum) * running + momentum * step.
// In training no gradient reads running statistics, so autograd need not know.
void move_statistics(at::TensorList running, at::TensorList of_steps,
                     int64_t steps, double momentum) {
  at::AutoDispatchBelowADInplaceOrView below;
  TORCH_CHECK(running.size() == of_steps.size(),
              "move_statistics: ", running.size(), " tensors, ",
              of_steps.size(), " of steps");
  at::_foreach_mul_(running, std::pow(1 - momentum, steps));
  for (int64_t step = 0; step < steps; step++) {
    std::vector<at::Tensor> parts;
    for (const at::Tensor &t : of_steps) {
      const int64_t c = t.numel() / steps;
      parts.push_back(t.narrow(0, step * c, c));
    }
    at::_foreach_add_(running, parts,
                      momentum * std::pow(1 - momentum, steps - 1 - step));
  }
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, m) {
  m.def(
      "step_norm(Tensor x, Tensor weight, Tensor bias, Tensor(a!) mean, "
      "Tensor(b!) variance, int steps, float epsilon) -> Tensor",
      &spikedhs::step_norm);
  m.def("tile_together(Tensor[] list, int steps) -> Tensor[]",
        &spikedhs::tile_together);
  m.def(
      "move_statistics(Tensor(a!)[] running, Tensor[] of_steps, int steps, "
      "float momentum) -> ()",
      &spikedhs::move_statistics);
}
