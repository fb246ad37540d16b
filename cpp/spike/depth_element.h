// What one GPU thread does in spikedhs::depth_stack (depth.h) and its gradient:
// kLanes neighbouring channels of one pixel, channels last.
#pragma once

#include "pack.h"

namespace spikedhs {

constexpr int kDepthTaps = 3;

// x is [images * planes, channels, pixels], the stack has kDepthTaps times the
// channels. Forward reads x, backward the gradient of the stack.
template <typename Scalar, bool kForward>
struct DepthStack {
  using Number = Scalar;
  static constexpr const char *kOperator =
      kForward ? "depth_stack" : "depth_stack_backward";
  static constexpr const char *kName =
      kForward ? "DepthForward" : "DepthBackward";
  const Scalar *from;
  Scalar *to;
  int64_t images, planes, pixels, channels;  // of x

  SPIKEDHS_INLINE int64_t size() const {
    return images * planes * pixels * channels;
  }
  SPIKEDHS_INLINE int64_t written() const {
    return kForward ? kDepthTaps * size() : size();
  }
};
template <typename Scalar>
using DepthForward = DepthStack<Scalar, true>;
template <typename Scalar>
using DepthBackward = DepthStack<Scalar, false>;

// Writes the kLanes elements of the stack from `at` on.
template <int kLanes, typename Index, typename Scalar>
SPIKEDHS_INLINE void indexed_thread(const DepthForward<Scalar> &p, Index at) {
  const Index channels = static_cast<Index>(p.channels);
  const Index pixels = static_cast<Index>(p.pixels);
  const Index planes = static_cast<Index>(p.planes);
  const Index c = at % channels, tap = at / channels % kDepthTaps;
  const Index pixel = at / (kDepthTaps * channels);  // of all planes
  const Index plane = pixel / pixels % planes;
  Pack<Scalar, kLanes> out = {};
  // Plane + tap - 1 must be one of this image's.
  if (plane + tap >= 1 && plane + tap <= planes) {
    out = load_pack<kLanes>(p.from +
                            (pixel + tap * pixels - pixels) * channels + c);
  }
  store_pack<kLanes>(p.to + at, out);
}

// Writes the gradient of the kLanes elements of x from `at` on: summed in the
// order of the CPU's loop.
template <int kLanes, typename Index, typename Scalar>
SPIKEDHS_INLINE void indexed_thread(const DepthBackward<Scalar> &p, Index at) {
  using Real = decltype(load(Scalar{}));
  const Index channels = static_cast<Index>(p.channels);
  const Index pixels = static_cast<Index>(p.pixels);
  const Index planes = static_cast<Index>(p.planes);
  const Index c = at % channels, pixel = at / channels;
  const Index plane = pixel / pixels % planes;
  Real sum[kLanes] = {};
  // Tap k of plane p holds plane p + k - 1, so ours is in p = plane + 1 - k.
  SPIKEDHS_UNROLL
  for (int step = 0; step < kDepthTaps; step++) {
    const Index tap = step == 0 ? 1 : step == 1 ? 0 : 2;
    if (plane + 1 < tap || plane + 1 - tap >= planes) continue;
    const Index source = pixel + pixels - tap * pixels;
    const auto in =
        load_pack<kLanes>(p.from + (source * kDepthTaps + tap) * channels + c);
    SPIKEDHS_UNROLL
    for (int i = 0; i < kLanes; i++) {
      sum[i] = step == 0 ? load(in.lane[i]) : sum[i] + load(in.lane[i]);
    }
  }
  Pack<Scalar, kLanes> out;
  SPIKEDHS_UNROLL
  for (int i = 0; i < kLanes; i++) store(&out.lane[i], sum[i]);
  store_pack<kLanes>(p.to + at, out);
}

}  // namespace spikedhs
