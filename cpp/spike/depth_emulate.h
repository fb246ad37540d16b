// The CUDA kernels of depth_stack, thread by thread on the CPU.
#pragma once

#include <type_traits>

#include "depth_element.h"
#include "indexed.h"

namespace spikedhs {

template <typename Scalar>
IndexedVersion depth_version(const DepthStack<Scalar> &p) {
  return indexed_version(kDepthTaps * p.size(), p.channels, kWideLanes,
                         lif_aligned(p.from) && lif_aligned(p.to));
}

template <typename Scalar>
void depth_emulate_forward(const DepthStack<Scalar> &p) {
  emulate_indexed<kWideLanes>(
      depth_version(p), kDepthTaps * p.size(), [&](auto lanes, auto at) {
        depth_forward_thread<decltype(lanes)::value>(p, at);
      });
}

template <typename Scalar>
void depth_emulate_backward(const DepthStack<Scalar> &p) {
  using Real =
      std::conditional_t<std::is_same<Scalar, double>::value, double, float>;
  emulate_indexed<kWideLanes>(
      depth_version(p), p.size(), [&](auto lanes, auto at) {
        depth_backward_thread<decltype(lanes)::value, decltype(at), Scalar,
                              Real>(p, at);
      });
}

}  // namespace spikedhs
