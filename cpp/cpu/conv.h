// Convolutions of a cell and the gradients of their inputs.
#pragma once

#include <ATen/core/Tensor.h>

#include "compat.h"

namespace spikedhs {

// A weight [out, in, kernel, kernel] in the type and the layout, channels last,
// that the functions below ask for.
at::Tensor conv_weight(const at::Tensor &weight, at::ScalarType type);

// conv2d(x, weight) + bias, channels last, of tensors of one type. On a
// processor with AMX bfloat16 runs on our own kernels (tile_conv.h), and in
// float32 so do most convolutions of 3x3 with stride 1 or 2 (winograd.h); all
// else is libtorch's.
at::Tensor conv_forward(const at::Tensor &x, const at::Tensor &weight,
                        const optional<at::Tensor> &bias, int64_t stride,
                        at::IntArrayRef padding);

// dL/dx of the same, of the shape of x and channels last, from dL/dy `grad`.
at::Tensor conv_input_gradient(const at::Tensor &x, const at::Tensor &grad,
                               const at::Tensor &weight, int64_t stride,
                               at::IntArrayRef padding);

}  // namespace spikedhs
