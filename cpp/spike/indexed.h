// Kernels that number the elements of a result: which version of one runs, and
// its emulation.
#pragma once

#include <cstdint>

#include "lif_launch.h"

namespace spikedhs {

// Numbers of 32 bits with room for the last block's threads past the end.
constexpr int64_t kNarrowIndex = 0x7fffffff;

struct IndexedVersion {
  int lanes;  // elements of a thread
  bool wide;  // whether indices have 64 bits
};

// For a tensor of `size` elements whose rows of `channels` are neighbours in
// memory (0: they are not), and for pointers that are aligned or not.
inline IndexedVersion indexed_version(int64_t size, int64_t channels, int lanes,
                                      bool aligned) {
  const bool packs = aligned && channels > 0 && channels % lanes == 0;
  return {packs ? lanes : 1, size > kNarrowIndex};
}

template <int kLanes>
struct Lanes {
  static constexpr int value = kLanes;
};

// Calls thread(Lanes<n>(), index) for the `size` elements, in the version's
// types.
template <int kLanes, typename Thread>
void emulate_indexed(const IndexedVersion &version, int64_t size,
                     const Thread &thread) {
  const auto run = [&](auto lanes, auto index) {
    using Index = decltype(index);
    for (int64_t i = 0; i < size; i += lanes.value) {
      thread(lanes, static_cast<Index>(i));
    }
  };
  if (version.lanes == 1) {
    version.wide ? run(Lanes<1>(), int64_t{}) : run(Lanes<1>(), uint32_t{});
  } else {
    version.wide ? run(Lanes<kLanes>(), int64_t{})
                 : run(Lanes<kLanes>(), uint32_t{});
  }
}

}  // namespace spikedhs
