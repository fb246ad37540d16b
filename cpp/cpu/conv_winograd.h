// winograd.h on tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include "compat.h"
#include "winograd.h"

namespace spikedhs {

// Whether a convolution and its gradients can go this way: kernels of 3x3 with
// stride 1 or 2, both tensors float32 on the CPU.
bool winograd_fits(const at::Tensor &x, const at::Tensor &weight,
                   int64_t stride);

// The kernels to take for a convolution that fits, or for its gradients;
// nullptr where libtorch's own is faster.
const WinogradFamily *winograd_for(const at::Tensor &x,
                                   const at::Tensor &weight, int64_t stride,
                                   at::IntArrayRef padding);

// As conv_forward, conv_input_gradient and conv_weight_gradient (conv.h,
// weight_gradient.h).
at::Tensor winograd_forward(const WinogradFamily &family, const at::Tensor &x,
                            const at::Tensor &weight,
                            const optional<at::Tensor> &bias, int64_t stride,
                            at::IntArrayRef padding);
at::Tensor winograd_input_gradient(const WinogradFamily &family,
                                   const at::Tensor &x, const at::Tensor &grad,
                                   const at::Tensor &weight, int64_t stride,
                                   at::IntArrayRef padding);
at::Tensor winograd_weight_gradient(const WinogradFamily &family,
                                    const at::Tensor &x, const at::Tensor &grad,
                                    int64_t stride, at::IntArrayRef padding);

}  // namespace spikedhs
