// Registration of spikedhs::feature_volume with its gradient, and the composed
// form for devices without a kernel.
#include "volume.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>

#include "dispatched.h"

namespace spikedhs {

void check_volume(const at::Tensor &left, const at::Tensor &right,
                  int64_t planes) {
  TORCH_CHECK(left.dim() == 4 && left.is_floating_point(),
              "feature_volume: the features must be floating point of shape "
              "[N, C, H, W]; the left one is ",
              left.scalar_type(), " ", left.sizes());
  TORCH_CHECK(left.sizes() == right.sizes() &&
                  left.scalar_type() == right.scalar_type() &&
                  left.device() == right.device(),
              "feature_volume: both features must be alike; left is ",
              left.scalar_type(), " ", left.sizes(), " on ", left.device(),
              ", right ", right.scalar_type(), " ", right.sizes(), " on ",
              right.device());
  TORCH_CHECK(planes > 0, "feature_volume: planes must be positive, is ",
              planes);
}

namespace {

// Plane i of both halves, where x >= i: a window of the volume, and the windows
// of the features that it copies.
struct Plane {
  at::Tensor left, right;
};

Plane volume_plane(const at::Tensor &volume, int64_t i) {
  const int64_t channels = volume.size(1) / 2, width = volume.size(4);
  const at::Tensor plane = volume.select(2, i).narrow(3, i, width - i);
  return {plane.narrow(1, 0, channels), plane.narrow(1, channels, channels)};
}

}  // namespace

at::Tensor volume_composed(const at::Tensor &left, const at::Tensor &right,
                           int64_t planes) {
  check_volume(left, right, planes);
  const VolumeShape shape = volume_shape(left, planes);
  at::Tensor volume =
      at::empty(
          {shape.batch, 2 * shape.channels, planes, shape.height, shape.width},
          left.options().memory_format(volume_format(shape)))
          .zero_();
  for (int64_t i = 0; i < std::min(planes, shape.width); i++) {
    const Plane plane = volume_plane(volume, i);
    plane.left.copy_(left.narrow(3, i, shape.width - i));
    plane.right.copy_(right.narrow(3, 0, shape.width - i));
  }
  return volume;
}

VolumeGrads volume_backward_composed(const at::Tensor &grad_volume,
                                     bool channels_last) {
  const int64_t width = grad_volume.size(4);
  at::Tensor left = at::empty({grad_volume.size(0), grad_volume.size(1) / 2,
                               grad_volume.size(3), width},
                              grad_volume.options().memory_format(
                                  channels_last ? at::MemoryFormat::ChannelsLast
                                                : at::MemoryFormat::Contiguous))
                        .zero_();
  at::Tensor right = left.clone();
  for (int64_t i = 0; i < std::min(grad_volume.size(2), width); i++) {
    const Plane plane = volume_plane(grad_volume, i);
    left.narrow(3, i, width - i).add_(plane.left);
    right.narrow(3, 0, width - i).add_(plane.right);
  }
  return {left, right};
}

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct VolumeFunction : torch::autograd::Function<VolumeFunction> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &left,
                            const at::Tensor &right, int64_t planes) {
    at::AutoDispatchBelowADInplaceOrView below;
    // The backward pass needs the memory order alone: no tensor is kept.
    context->saved_data["channels_last"] =
        volume_shape(left, planes).channels_last;
    static const auto op =
        dispatched<decltype(volume_composed)>("spikedhs::feature_volume");
    return op.call(left, right, planes);
  }

  static variable_list backward(AutogradContext *context, variable_list grads) {
    static const auto op = dispatched<decltype(volume_backward_composed)>(
        "spikedhs::feature_volume_backward");
    auto [left, right] =
        op.call(grads[0], context->saved_data["channels_last"].toBool());
    return {left, right, at::Tensor()};
  }
};

at::Tensor volume_autograd(const at::Tensor &left, const at::Tensor &right,
                           int64_t planes) {
  check_volume(left, right, planes);
  return VolumeFunction::apply(left, right, planes);
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, library) {
  library.def(
      "feature_volume(Tensor left, Tensor right, int planes) -> Tensor");
  library.def(
      "feature_volume_backward(Tensor grad_volume, bool channels_last) -> "
      "(Tensor grad_left, Tensor grad_right)");
  // The fallback under a name of its own, for comparison on any device.
  library.def(
      "feature_volume_composed(Tensor left, Tensor right, int planes) -> "
      "Tensor",
      &spikedhs::volume_composed);
}

TORCH_LIBRARY_IMPL(spikedhs, CompositeExplicitAutograd, library) {
  library.impl("feature_volume", &spikedhs::volume_composed);
  library.impl("feature_volume_backward", &spikedhs::volume_backward_composed);
}

TORCH_LIBRARY_IMPL(spikedhs, Autograd, library) {
  library.impl("feature_volume", &spikedhs::volume_autograd);
}
