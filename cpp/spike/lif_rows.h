// An input of the LIF scan as a tensor and the rows in which its memory lies.
#pragma once

#include <ATen/core/Tensor.h>

#include "lif_thread.h"

namespace spikedhs {

struct LifInput {
  at::Tensor tensor;
  LifRows rows;
};

// The memory format of a tensor, if it has as many dimensions as one needs.
inline at::MemoryFormat lif_format(const at::Tensor &t,
                                   at::MemoryFormat format) {
  return t.dim() >= 4 ? format : at::MemoryFormat::Contiguous;
}

inline at::Tensor lif_dense(const at::Tensor &t, at::MemoryFormat format) {
  return t.contiguous(lif_format(t, format));
}

// Dense in the order of `format`, copied if it is not.
LifInput lif_dense_input(const at::Tensor &t, at::MemoryFormat format,
                         int64_t steps);

// The tensor itself where its rows allow packs, such as a slice of the channels
// of another one; else as lif_dense_input.
LifInput lif_rows_input(const at::Tensor &t, at::MemoryFormat format,
                        int64_t steps);

// Empty, of the same shape, dense in the order of the input.
at::Tensor lif_empty_like(const LifInput &input, at::MemoryFormat format);

}  // namespace spikedhs
