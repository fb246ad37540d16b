// Kernels that number the elements of a result (indexed.cu): which version of
// one runs, and its emulation.
#pragma once

#include <cstdint>

#include "depth_element.h"
#include "instance_names.h"
#include "lif_launch.h"
#include "volume_element.h"

namespace spikedhs {

// Numbers of 32 bits with room for the last block's threads past the end.
constexpr int64_t kNarrowIndex = 0x7fffffff;

struct IndexedVersion {
  int lanes;  // elements of a thread
  bool wide;  // whether indices have 64 bits
};

// For a tensor of `size` elements whose rows of `channels` are neighbours in
// memory (0: they are not), and for pointers that are aligned or not.
inline IndexedVersion indexed_version(int64_t size, int64_t channels,
                                      bool aligned) {
  const bool packs = aligned && channels > 0 && channels % kWideLanes == 0;
  return {packs ? kWideLanes : 1, size > kNarrowIndex};
}

template <typename Scalar, bool kForward>
IndexedVersion version_of(const DepthStack<Scalar, kForward> &p) {
  return indexed_version(kDepthTaps * p.size(), p.channels,
                         lif_aligned(p.from) && lif_aligned(p.to));
}

template <typename Scalar>
IndexedVersion version_of(const VolumeForward<Scalar> &p) {
  return indexed_version(
      p.shape.volume_size(), p.shape.channels_last ? p.shape.channels : 0,
      lif_aligned(p.left) && lif_aligned(p.right) && lif_aligned(p.volume));
}

template <typename Scalar>
IndexedVersion version_of(const VolumeBackward<Scalar> &p) {
  return indexed_version(
      p.shape.volume_size(), p.shape.channels_last ? p.shape.channels : 0,
      lif_aligned(p.grad_volume) && lif_aligned(p.grad_left) &&
          lif_aligned(p.grad_right));
}

template <typename Arguments>
KernelCall kernel_call(const Arguments &p) {
  const IndexedVersion v = version_of(p);
  const Element element = element_of(typename Arguments::Number{});
  return {indexed_instance(Arguments::kName, v.lanes, v.wide, element),
          grid_of(p.written(), kIndexedThreads, v.lanes)};
}

template <int kLanes, typename Index, typename Arguments>
void emulate_indexed(const Arguments &p) {
  for (int64_t i = 0; i < p.written(); i += kLanes) {
    indexed_thread<kLanes>(p, static_cast<Index>(i));
  }
}

template <typename Arguments>
void emulate(const Arguments &p) {
  const IndexedVersion v = version_of(p);
  if (v.lanes == 1) {
    v.wide ? emulate_indexed<1, int64_t>(p) : emulate_indexed<1, uint32_t>(p);
  } else {
    v.wide ? emulate_indexed<kWideLanes, int64_t>(p)
           : emulate_indexed<kWideLanes, uint32_t>(p);
  }
}

}  // namespace spikedhs
