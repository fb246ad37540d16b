// One element of the feature volume and of its gradient. The CUDA kernels and
// the operators that emulate them share this; the CPU loops in volume.cc copy
// whole runs of it.
//
// From the features FL, FR of the two views the volume holds, for plane i,
//     V[b, c, i, y, x]     = FL[b, c, y, x]
//     V[b, C + c, i, y, x] = FR[b, c, y, x - i]
// where x >= i, and 0 elsewhere: plane i puts side by side what would be the
// same point at a disparity of i pixels.
#pragma once

#include "lif_step.h"  // SPIKEDHS_INLINE, Bf16

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
  SPIKEDHS_INLINE int64_t feature_at(int64_t b, int64_t c, int64_t y,
                                     int64_t x) const {
    return channels_last ? ((b * height + y) * width + x) * channels + c
                         : ((b * channels + c) * height + y) * width + x;
  }
  SPIKEDHS_INLINE int64_t volume_at(int64_t b, int64_t c, int64_t i, int64_t y,
                                    int64_t x) const {
    return channels_last
               ? (((b * planes + i) * height + y) * width + x) * 2 * channels +
                     c
               : (((b * 2 * channels + c) * planes + i) * height + y) * width +
                     x;
  }
};

template <typename Scalar>
struct VolumeForward {
  const Scalar *left, *right;
  Scalar *volume;
  VolumeShape shape;
};

template <typename Scalar, typename Real>
struct VolumeBackward {
  const Scalar *grad_volume;
  Scalar *grad_left, *grad_right;
  VolumeShape shape;
};

// Writes the element that lies at `at` in the volume's memory.
template <typename Scalar>
SPIKEDHS_INLINE void volume_forward_thread(const VolumeForward<Scalar> &p,
                                           int64_t at) {
  const VolumeShape &s = p.shape;
  int64_t rest = at, b, c, i, y, x;
  if (s.channels_last) {
    c = rest % (2 * s.channels), rest /= 2 * s.channels;
    x = rest % s.width, rest /= s.width;
    y = rest % s.height, rest /= s.height;
    i = rest % s.planes, b = rest / s.planes;
  } else {
    x = rest % s.width, rest /= s.width;
    y = rest % s.height, rest /= s.height;
    i = rest % s.planes, rest /= s.planes;
    c = rest % (2 * s.channels), b = rest / (2 * s.channels);
  }
  if (x < i) {
    store(p.volume + at, 0);
  } else if (c < s.channels) {
    p.volume[at] = p.left[s.feature_at(b, c, y, x)];
  } else {
    p.volume[at] = p.right[s.feature_at(b, c - s.channels, y, x - i)];
  }
}

// Writes both gradients of the feature element at `at`: the sums over all
// planes that hold a copy of it, from plane 0 on as on the CPU.
template <typename Scalar, typename Real>
SPIKEDHS_INLINE void volume_backward_thread(
    const VolumeBackward<Scalar, Real> &p, int64_t at) {
  const VolumeShape &s = p.shape;
  int64_t rest = at, b, c, y, x;
  if (s.channels_last) {
    c = rest % s.channels, rest /= s.channels;
    x = rest % s.width, rest /= s.width;
    y = rest % s.height, b = rest / s.height;
  } else {
    x = rest % s.width, rest /= s.width;
    y = rest % s.height, rest /= s.height;
    c = rest % s.channels, b = rest / s.channels;
  }
  Real left = 0, right = 0;
  for (int64_t i = 0; i < s.planes; i++) {
    if (x >= i) left += load(p.grad_volume[s.volume_at(b, c, i, y, x)]);
    if (x + i < s.width) {
      right += load(p.grad_volume[s.volume_at(b, s.channels + c, i, y, x + i)]);
    }
  }
  store(p.grad_left + at, left);
  store(p.grad_right + at, right);
}

// NULL, or what the CUDA runtime said. `stream` is a cudaStream_t.
template <typename Scalar>
const char *launch_volume_forward(const VolumeForward<Scalar> &p, void *stream);
template <typename Scalar, typename Real>
const char *launch_volume_backward(const VolumeBackward<Scalar, Real> &p,
                                   void *stream);

}  // namespace spikedhs
