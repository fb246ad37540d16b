// The feature volume on the CPU: rows are shared out among the threads and
// copied in runs.
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <vector>

#include "volume.h"

namespace spikedhs {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements below which threads do not pay

// body(row) for `rows` rows of `size` elements.
template <typename Body>
void for_rows(int64_t rows, int64_t size, const Body &body) {
  at::parallel_for(0, rows, std::max<int64_t>(1, kGrain / size),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t row = begin; row < end; row++) body(row);
                   });
}

struct Forward {
  template <typename Scalar>
  void operator()(const VolumeForward<Scalar> &p) const {
    const VolumeShape &s = p.shape;
    if (s.channels_last) {
      rows_of_pixels(p);
    } else {
      rows_of_channels(p);
    }
  }

  // A row is [width, 2 * channels] of one plane.
  template <typename Scalar>
  void rows_of_pixels(const VolumeForward<Scalar> &p) const {
    const VolumeShape &s = p.shape;
    const int64_t c = s.channels, size = 2 * c * s.width;
    for_rows(s.batch * s.planes * s.height, size, [&](int64_t row) {
      const int64_t y = row % s.height;
      const int64_t i = row / s.height % s.planes;
      const int64_t b = row / s.height / s.planes;
      const Scalar *left = p.left + s.feature_at<int64_t>(b, 0, y, 0);
      const Scalar *right = p.right + s.feature_at<int64_t>(b, 0, y, 0);
      Scalar *to = p.volume + row * size;
      const int64_t first = std::min(i, s.width);
      std::fill_n(to, 2 * c * first, Scalar{});
      for (int64_t x = first; x < s.width; x++) {
        std::copy_n(left + x * c, c, to + 2 * c * x);
        std::copy_n(right + (x - i) * c, c, to + 2 * c * x + c);
      }
    });
  }

  // A row is [width] of one channel and plane.
  template <typename Scalar>
  void rows_of_channels(const VolumeForward<Scalar> &p) const {
    const VolumeShape &s = p.shape;
    for_rows(s.batch * 2 * s.channels * s.planes * s.height, s.width,
             [&](int64_t row) {
               const int64_t y = row % s.height;
               const int64_t i = row / s.height % s.planes;
               const int64_t plane = row / s.height / s.planes;
               const int64_t c = plane % (2 * s.channels);
               const int64_t b = plane / (2 * s.channels);
               Scalar *to = p.volume + row * s.width;
               const int64_t first = std::min(i, s.width);
               std::fill_n(to, first, Scalar{});
               const Scalar *from =
                   c < s.channels ? p.left + s.feature_at(b, c, y, first)
                                  : p.right + s.feature_at<int64_t>(
                                                  b, c - s.channels, y, 0);
               std::copy_n(from, s.width - first, to + first);
             });
  }
};

// sum[k] += from[k * stride + ...] for runs of `run` numbers `stride` apart.
template <typename Scalar, typename Real>
void add_runs(Real *sum, const Scalar *from, int64_t count, int64_t run,
              int64_t stride) {
  for (int64_t k = 0; k < count; k++) {
    for (int64_t j = 0; j < run; j++) {
      sum[k * run + j] += load(from[k * stride + j]);
    }
  }
}

struct Backward {
  template <typename Scalar>
  void operator()(const VolumeBackward<Scalar> &p) const {
    using Real = decltype(load(Scalar{}));
    const VolumeShape &s = p.shape;
    // A pixel of the volume's row is `pixel` numbers, of which each view's half
    // is a run; without channels-last a row holds one channel.
    const int64_t channels = s.channels_last ? 1 : s.channels;
    const int64_t run = s.channels_last ? s.channels : 1;
    const int64_t pixel = s.channels_last ? 2 * s.channels : 1;
    const int64_t size = s.width * run;
    for_rows(s.batch * channels * s.height, size * s.planes, [&](int64_t row) {
      const int64_t y = row % s.height;
      const int64_t c = row / s.height % channels;
      const int64_t b = row / s.height / channels;
      std::vector<Real> sums(2 * size);
      for (int64_t i = 0; i < std::min(s.planes, s.width); i++) {
        add_runs(sums.data() + i * run,
                 p.grad_volume + s.volume_at(b, c, i, y, i), s.width - i, run,
                 pixel);
        add_runs(sums.data() + size,
                 p.grad_volume + s.volume_at(b, s.channels + c, i, y, i),
                 s.width - i, run, pixel);
      }
      const int64_t at = s.feature_at<int64_t>(b, c, y, 0);
      for (int64_t k = 0; k < size; k++) {
        store(p.grad_left + at + k, sums[k]);
        store(p.grad_right + at + k, sums[size + k]);
      }
    });
  }
};

at::Tensor volume_cpu(const at::Tensor &left, const at::Tensor &right,
                      int64_t planes) {
  return volume_forward_tensors<kForCpu>(left, right, planes, Forward{});
}

VolumeGrads volume_backward_cpu(const at::Tensor &grad_volume,
                                bool channels_last) {
  return volume_backward_tensors<kForCpu>(grad_volume, channels_last,
                                          Backward{});
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_IMPL(spikedhs, CPU, library) {
  library.impl("feature_volume", &spikedhs::volume_cpu);
  library.impl("feature_volume_backward", &spikedhs::volume_backward_cpu);
}
