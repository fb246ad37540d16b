// A convolution over depth, height and width as one over height and width.
//
// Depth is folded into the batch: [N, C, D, H, W] is held as [N*D, C, H, W],
// channels last. A 3x3x3 convolution of that is a 3x3 convolution of
// depth_stack(x), in which every plane carries the plane before it and the one
// after it as further channels. libtorch's three-dimensional convolutions are
// several times slower on a CPU than this (docs/design.md).
#pragma once

#include <ATen/core/Tensor.h>

namespace spikedhs {

// [N*D, C, H, W] -> [N*D, 3C, H, W]: channels k*C to (k+1)*C of plane d are
// those of plane d + k - 1, zeros where there is none. `planes` is D.
at::Tensor depth_stack(const at::Tensor &x, int64_t planes);

// The gradient of x from that of depth_stack(x).
at::Tensor depth_stack_backward(const at::Tensor &grad, int64_t planes);

// Both by ATen operators alone, on any device.
at::Tensor depth_stack_composed(const at::Tensor &x, int64_t planes);
at::Tensor depth_stack_backward_composed(const at::Tensor &grad,
                                         int64_t planes);

// Throws with a sentence unless x can be stacked.
void check_depth(const at::Tensor &x, int64_t planes);

// The weight [O, C, k, h, w] of a convolution over depth, for what depth_stack
// makes (k = 3) or for the planes by themselves (k = 1): [O, k*C, h, w].
at::Tensor depth_weight(const at::Tensor &weight);

// The gradient of a weight of k taps along the depth from that of
// depth_weight(weight).
at::Tensor depth_weight_backward(const at::Tensor &grad, int64_t taps);

}  // namespace spikedhs
