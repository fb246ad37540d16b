// Backward passes and access to gradients.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

#include "guard.h"

using spikedhs::guarded;
using spikedhs::unwrap;
using spikedhs::wrap;

namespace {
void check_scalar(const at::Tensor &loss) {
  TORCH_CHECK(loss.numel() == 1, "loss must be one number, has shape ",
              loss.sizes());
  TORCH_CHECK(loss.requires_grad(),
              "loss does not depend on any tensor that requires a gradient");
}
}  // namespace

char *sd_require_grad(sd_tensor t, int on) {
  return guarded([&] { unwrap(t).requires_grad_(on != 0); });
}

char *sd_backward(sd_tensor loss) {
  return guarded([&] {
    const at::Tensor &value = unwrap(loss);
    check_scalar(value);
    torch::autograd::backward({value}, {});
  });
}

char *sd_grad(sd_tensor t, sd_tensor *out) {
  return guarded([&] {
    const at::Tensor &grad = unwrap(t).grad();
    *out = grad.defined() ? wrap(grad) : nullptr;
  });
}

char *sd_clear_grad(sd_tensor t) {
  return guarded([&] { unwrap(t).mutable_grad() = at::Tensor(); });
}

char *sd_grad_of(sd_tensor output, sd_tensor grad, const uint64_t *inputs,
                 int64_t n, int retain, uint64_t *grads) {
  return guarded([&] {
    const at::Tensor &value = unwrap(output);
    std::vector<at::Tensor> arriving, variables;
    if (grad == nullptr) {
      check_scalar(value);
    } else if (value.requires_grad()) {
      arriving.push_back(unwrap(grad));
    } else {
      return;
    }
    for (int64_t i = 0; i < n; i++) {
      variables.push_back(unwrap(reinterpret_cast<sd_tensor>(inputs[i])));
    }
    const auto result = torch::autograd::grad({value}, variables, arriving,
                                              /*retain_graph=*/retain != 0,
                                              /*create_graph=*/false,
                                              /*allow_unused=*/true);
    for (int64_t i = 0; i < n; i++) {
      grads[i] =
          result[i].defined() ? reinterpret_cast<uint64_t>(wrap(result[i])) : 0;
    }
  });
}
