// The gradient of a convolution's weights, in bfloat16 on processors with AMX.
//
// libtorch 1.13 brings oneDNN 2.6, whose gradients of weights reach a quarter
// of what its forward convolutions do. Weights are half a backward pass.
#pragma once

#include <ATen/core/Tensor.h>

namespace spikedhs {

// dL/dw [O, C, kh, kw] in float32, dense, of conv2d(x, w) with the given stride
// and padding, from x [N, C, H, W] and dL/dy `grad` [N, O, H', W'] of one type,
// channels last. On a processor with AMX bfloat16 runs on our own kernels, and
// in float32 so do most of 3x3 with stride 1 or 2 (winograd.h); all else is
// libtorch's.
at::Tensor conv_weight_gradient(const at::Tensor &x, const at::Tensor &grad,
                                const at::Tensor &weight, int64_t stride,
                                at::IntArrayRef padding);

}  // namespace spikedhs
