// spikedhs::feature_volume: the volume of two views' features, see
// volume_element.h for what it holds.
#pragma once

#include <ATen/ATen.h>

#include <tuple>

#include "lif_tensors.h"  // lif_dispatch, LifElement, LifReal
#include "volume_element.h"

namespace spikedhs {

using VolumeGrads = std::tuple<at::Tensor, at::Tensor>;

// Throws with a sentence when the arguments do not fit together.
void check_volume(const at::Tensor &left, const at::Tensor &right,
                  int64_t planes);

// By ATen operators alone, on any device.
at::Tensor volume_composed(const at::Tensor &left, const at::Tensor &right,
                           int64_t planes);
VolumeGrads volume_backward_composed(const at::Tensor &grad_volume,
                                     bool channels_last);

inline VolumeShape volume_shape(const at::Tensor &feature, int64_t planes) {
  return {feature.size(0),
          feature.size(1),
          planes,
          feature.size(2),
          feature.size(3),
          feature.suggest_memory_format() == at::MemoryFormat::ChannelsLast};
}

inline at::MemoryFormat volume_format(const VolumeShape &shape) {
  return shape.channels_last ? at::MemoryFormat::ChannelsLast3d
                             : at::MemoryFormat::Contiguous;
}

inline at::MemoryFormat feature_format(const VolumeShape &shape) {
  return shape.channels_last ? at::MemoryFormat::ChannelsLast
                             : at::MemoryFormat::Contiguous;
}

// Calls `launch` with a VolumeForward of raw pointers. The memory order is that
// of the left feature.
template <bool kDevice, typename Launch>
at::Tensor volume_forward_tensors(const at::Tensor &left,
                                  const at::Tensor &right, int64_t planes,
                                  const Launch &launch) {
  check_volume(left, right, planes);
  const VolumeShape shape = volume_shape(left, planes);
  const at::Tensor l = left.contiguous(feature_format(shape));
  const at::Tensor r = right.contiguous(feature_format(shape));
  at::Tensor volume = at::empty(
      {shape.batch, 2 * shape.channels, planes, shape.height, shape.width},
      left.options().memory_format(volume_format(shape)));
  lif_dispatch<kDevice>(l.scalar_type(), "feature_volume", [&](auto element) {
    using scalar_t = typename decltype(element)::type;
    using Element = LifElement<scalar_t>;
    launch(VolumeForward<Element>{lif_elements<scalar_t>(l),
                                  lif_elements<scalar_t>(r),
                                  lif_elements<scalar_t>(volume), shape});
  });
  return volume;
}

// Calls `launch` with a VolumeBackward; `channels_last` is the memory order of
// the features.
template <bool kDevice, typename Launch>
VolumeGrads volume_backward_tensors(const at::Tensor &grad_volume,
                                    bool channels_last, const Launch &launch) {
  const VolumeShape shape = {grad_volume.size(0), grad_volume.size(1) / 2,
                             grad_volume.size(2), grad_volume.size(3),
                             grad_volume.size(4), channels_last};
  const at::Tensor grads = grad_volume.contiguous(volume_format(shape));
  at::Tensor left =
      at::empty({shape.batch, shape.channels, shape.height, shape.width},
                grads.options().memory_format(feature_format(shape)));
  at::Tensor right = at::empty_like(left);
  lif_dispatch<kDevice>(
      grads.scalar_type(), "feature_volume_backward", [&](auto element) {
        using scalar_t = typename decltype(element)::type;
        using Element = LifElement<scalar_t>;
        launch(VolumeBackward<Element>{lif_elements<scalar_t>(grads),
                                       lif_elements<scalar_t>(left),
                                       lif_elements<scalar_t>(right), shape});
      });
  return {left, right};
}

}  // namespace spikedhs
