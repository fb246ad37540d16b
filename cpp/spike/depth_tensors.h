// From tensors to the raw arguments of depth_element.h and back.
#pragma once

#include <ATen/ATen.h>

#include "depth.h"
#include "depth_element.h"
#include "lif_tensors.h"  // lif_dispatch, LifElement

namespace spikedhs {

// Like the tensor, channels last, with another number of channels.
inline at::Tensor depth_empty(const at::Tensor &like, int64_t channels) {
  return at::empty(
      {like.size(0), channels, like.size(2), like.size(3)},
      like.options().memory_format(at::MemoryFormat::ChannelsLast));
}

// Calls `launch` with a DepthStack that reads `from` and writes a new tensor; x
// has `channels` channels.
template <bool kForward, typename Launch>
at::Tensor depth_tensors(const at::Tensor &from, int64_t planes,
                         int64_t channels, const Launch &launch) {
  const at::Tensor in = from.contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor out = depth_empty(in, kForward ? kDepthTaps * channels : channels);
  lif_dispatch<kForDevice>(in.scalar_type(), "depth_stack", [&](auto element) {
    using scalar_t = typename decltype(element)::type;
    launch(DepthStack<LifElement<scalar_t>, kForward>{
        lif_elements<scalar_t>(in), lif_elements<scalar_t>(out),
        in.size(0) / planes, planes, in.size(2) * in.size(3), channels});
  });
  return out;
}

template <typename Launch>
at::Tensor depth_forward_tensors(const at::Tensor &x, int64_t planes,
                                 const Launch &launch) {
  check_depth(x, planes);
  return depth_tensors<true>(x, planes, x.size(1), launch);
}

template <typename Launch>
at::Tensor depth_backward_tensors(const at::Tensor &grad, int64_t planes,
                                  const Launch &launch) {
  return depth_tensors<false>(grad, planes, grad.size(1) / kDepthTaps, launch);
}

}  // namespace spikedhs
