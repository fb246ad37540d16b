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

// Writes the gradients of n inputs, 0 for those without influence.
void gradients(const std::vector<at::Tensor> &outputs,
               const std::vector<at::Tensor> &arriving, const uint64_t *inputs,
               int64_t n, bool retain, uint64_t *grads) {
  std::vector<at::Tensor> variables;
  variables.reserve(n);
  for (int64_t i = 0; i < n; i++) {
    variables.push_back(unwrap(reinterpret_cast<sd_tensor>(inputs[i])));
  }
  const auto result = torch::autograd::grad(outputs, variables, arriving,
                                            /*retain_graph=*/retain,
                                            /*create_graph=*/false,
                                            /*allow_unused=*/true);
  for (int64_t i = 0; i < n; i++) {
    grads[i] =
        result[i].defined() ? reinterpret_cast<uint64_t>(wrap(result[i])) : 0;
  }
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

char *sd_grad_of(sd_tensor loss, const uint64_t *inputs, int64_t n,
                 uint64_t *grads) {
  return guarded([&] {
    const at::Tensor &value = unwrap(loss);
    check_scalar(value);
    gradients({value}, {}, inputs, n, /*retain=*/false, grads);
  });
}

char *sd_grad_through(sd_tensor output, sd_tensor grad, const uint64_t *inputs,
                      int64_t n, int retain, uint64_t *grads) {
  return guarded([&] {
    const at::Tensor &value = unwrap(output);
    if (value.requires_grad()) {
      gradients({value}, {unwrap(grad)}, inputs, n, retain != 0, grads);
    }
  });
}
