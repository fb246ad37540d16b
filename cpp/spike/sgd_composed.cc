// spikedhs::sgd_step by ATen operators alone.
#include <ATen/ATen.h>
#include <torch/library.h>

#include "sgd.h"

namespace spikedhs {

void check_sgd(at::TensorList values, at::TensorList momenta,
               at::TensorList gradients) {
  const size_t count = values.size();
  TORCH_CHECK(count == momenta.size() && count == gradients.size(),
              "sgd_step: ", count, " parameters, ", momenta.size(),
              " momenta, ", gradients.size(), " gradients");
  for (size_t i = 0; i < count; i++) {
    TORCH_CHECK(values[i].sizes() == momenta[i].sizes() &&
                    values[i].sizes() == gradients[i].sizes(),
                "sgd_step: a parameter of ", values[i].sizes(),
                " has a momentum of ", momenta[i].sizes(),
                " and a gradient of ", gradients[i].sizes());
  }
}

void sgd_composed(const at::Tensor &w, const at::Tensor &m, const at::Tensor &g,
                  double momentum, double decay, double rate) {
  m.mul_(momentum).add_(g);
  if (decay != 0) m.add_(w, decay);
  w.add_(m, -rate);
}

namespace {

void sgd_steps(at::TensorList values, at::TensorList momenta,
               at::TensorList gradients, double momentum, double decay,
               double rate) {
  check_sgd(values, momenta, gradients);
  for (size_t i = 0; i < values.size(); i++) {
    sgd_composed(values[i], momenta[i], gradients[i], momentum, decay, rate);
  }
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, m) {
  m.def(
      "sgd_step(Tensor(a!)[] values, Tensor(b!)[] momenta, Tensor[] gradients, "
      "float momentum, float decay, float rate) -> ()");
}

TORCH_LIBRARY_IMPL(spikedhs, CompositeExplicitAutograd, m) {
  m.impl("sgd_step", &spikedhs::sgd_steps);
}
