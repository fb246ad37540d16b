// One element of the feature volume and of its gradient. The CUDA kernels and
// the operators that emulate them share this; the CPU loops in volume_cpu.cc
// copy whole runs of it.
//
// From the features FL, FR of the two views the volume holds, for plane i,
//     V[b, c, i, y, x]     = FL[b, c, y, x]
//     V[b, C + c, i, y, x] = FR[b, c, y, x - i]
// where x >= i, and 0 elsewhere: plane i puts side by side what would be the
// same point at a disparity of i pixels.
//
// A thread owns kLanes neighbours in memory: channels of one pixel in
// channels-last order, else a single element. Index is uint32_t where that
// counts all of the volume: a GPU divides 64-bit numbers several times slower.
#pragma once

#include "pack.h"

namespace spikedhs {

struct VolumeShape {
  int64_t batch, channels, planes, height, width;  // of a feature; planes of V
  bool channels_last;  // memory order of features and volume alike

  SPIKEDHS_INLINE int64_t feature_size() const {
    return batch * channels * height * width;
  }
  SPIKEDHS_INLINE int64_t volume_size() const {
    return 2 * planes * feature_size();
  }
  template <typename Index>
  SPIKEDHS_INLINE Index feature_at(Index b, Index c, Index y, Index x) const {
    const Index C = static_cast<Index>(channels);
    const Index H = static_cast<Index>(height), W = static_cast<Index>(width);
    return channels_last ? ((b * H + y) * W + x) * C + c
                         : ((b * C + c) * H + y) * W + x;
  }
  template <typename Index>
  SPIKEDHS_INLINE Index volume_at(Index b, Index c, Index i, Index y,
                                  Index x) const {
    const Index C = static_cast<Index>(2 * channels);
    const Index D = static_cast<Index>(planes);
    const Index H = static_cast<Index>(height), W = static_cast<Index>(width);
    return channels_last ? (((b * D + i) * H + y) * W + x) * C + c
                         : (((b * C + c) * D + i) * H + y) * W + x;
  }
};

template <typename Scalar>
struct VolumeForward {
  using Number = Scalar;
  static constexpr const char *kOperator = "feature_volume";
  static constexpr const char *kName = "VolumeForward";
  const Scalar *left, *right;
  Scalar *volume;
  VolumeShape shape;

  SPIKEDHS_INLINE int64_t written() const { return shape.volume_size(); }
};

template <typename Scalar>
struct VolumeBackward {
  using Number = Scalar;
  static constexpr const char *kOperator = "feature_volume_backward";
  static constexpr const char *kName = "VolumeBackward";
  const Scalar *grad_volume;
  Scalar *grad_left, *grad_right;
  VolumeShape shape;

  SPIKEDHS_INLINE int64_t written() const { return shape.feature_size(); }
};

// The remainder by `size`, which is then divided off.
template <typename Index>
SPIKEDHS_INLINE Index split_off(Index *rest, int64_t size) {
  const Index n = static_cast<Index>(size);
  const Index remainder = *rest % n;
  *rest /= n;
  return remainder;
}

// Writes the kLanes elements that lie from `at` on in the volume's memory.
template <int kLanes, typename Index, typename Scalar>
SPIKEDHS_INLINE void indexed_thread(const VolumeForward<Scalar> &p, Index at) {
  const VolumeShape &s = p.shape;
  Index rest = at, c = 0;
  if (s.channels_last) c = split_off(&rest, 2 * s.channels);
  const Index x = split_off(&rest, s.width), y = split_off(&rest, s.height);
  const Index i = split_off(&rest, s.planes);
  if (!s.channels_last) c = split_off(&rest, 2 * s.channels);
  const Index b = rest;
  Pack<Scalar, kLanes> out = {};
  const Index channels = static_cast<Index>(s.channels);
  if (x >= i) {
    out = c < channels ? load_pack<kLanes>(p.left + s.feature_at(b, c, y, x))
                       : load_pack<kLanes>(
                             p.right + s.feature_at(b, c - channels, y, x - i));
  }
  store_pack<kLanes>(p.volume + at, out);
}

// Writes both gradients of the kLanes feature elements from `at` on: the sums
// over all planes that hold a copy of them, from plane 0 on as on the CPU.
template <int kLanes, typename Index, typename Scalar>
SPIKEDHS_INLINE void indexed_thread(const VolumeBackward<Scalar> &p, Index at) {
  using Real = decltype(load(Scalar{}));
  const VolumeShape &s = p.shape;
  Index rest = at, c = 0;
  if (s.channels_last) c = split_off(&rest, s.channels);
  const Index x = split_off(&rest, s.width), y = split_off(&rest, s.height);
  if (!s.channels_last) c = split_off(&rest, s.channels);
  const Index b = rest;
  const Index planes = static_cast<Index>(s.planes);
  const Index width = static_cast<Index>(s.width);
  const Index other = c + static_cast<Index>(s.channels);  // of the right view
  Real left[kLanes] = {}, right[kLanes] = {};
  for (Index i = 0; i < planes; i++) {
    if (x >= i) {
      const auto in =
          load_pack<kLanes>(p.grad_volume + s.volume_at(b, c, i, y, x));
      SPIKEDHS_UNROLL
      for (int k = 0; k < kLanes; k++) left[k] += load(in.lane[k]);
    }
    if (x + i < width) {
      const auto in =
          load_pack<kLanes>(p.grad_volume + s.volume_at(b, other, i, y, x + i));
      SPIKEDHS_UNROLL
      for (int k = 0; k < kLanes; k++) right[k] += load(in.lane[k]);
    }
  }
  Pack<Scalar, kLanes> out_left, out_right;
  SPIKEDHS_UNROLL
  for (int k = 0; k < kLanes; k++) {
    store(&out_left.lane[k], left[k]);
    store(&out_right.lane[k], right[k]);
  }
  store_pack<kLanes>(p.grad_left + at, out_left);
  store_pack<kLanes>(p.grad_right + at, out_right);
}

}  // namespace spikedhs
