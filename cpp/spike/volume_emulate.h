// The CUDA kernels of the feature volume, thread by thread on the CPU.
#pragma once

#include "indexed.h"
#include "volume_element.h"

namespace spikedhs {

template <typename Scalar>
IndexedVersion volume_version(const VolumeForward<Scalar> &p) {
  const VolumeShape &s = p.shape;
  return indexed_version(
      s.volume_size(), s.channels_last ? s.channels : 0, kWideLanes,
      lif_aligned(p.left) && lif_aligned(p.right) && lif_aligned(p.volume));
}

template <typename Scalar, typename Real>
IndexedVersion volume_version(const VolumeBackward<Scalar, Real> &p) {
  const VolumeShape &s = p.shape;
  return indexed_version(
      s.volume_size(), s.channels_last ? s.channels : 0, kWideLanes,
      lif_aligned(p.grad_volume) && lif_aligned(p.grad_left) &&
          lif_aligned(p.grad_right));
}

template <typename Scalar>
void volume_emulate(const VolumeForward<Scalar> &p) {
  emulate_indexed<kWideLanes>(
      volume_version(p), p.shape.volume_size(), [&](auto lanes, auto at) {
        volume_forward_thread<decltype(lanes)::value>(p, at);
      });
}

template <typename Scalar, typename Real>
void volume_emulate(const VolumeBackward<Scalar, Real> &p) {
  emulate_indexed<kWideLanes>(
      volume_version(p), p.shape.feature_size(), [&](auto lanes, auto at) {
        volume_backward_thread<decltype(lanes)::value>(p, at);
      });
}

}  // namespace spikedhs
