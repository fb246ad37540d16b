// A step of stochastic gradient descent with momentum and weight decay.
#pragma once

#include <ATen/core/Tensor.h>

namespace spikedhs {

// Throws unless there is a momentum and a gradient of its shape for every
// parameter.
void check_sgd(at::TensorList values, at::TensorList momenta,
               at::TensorList gradients);

// One parameter: m = momentum * m + g + decay * w; w -= rate * m.
void sgd_composed(const at::Tensor &w, const at::Tensor &m, const at::Tensor &g,
                  double momentum, double decay, double rate);

}  // namespace spikedhs
