// Every difference between the supported libtorch versions (1.13 to 2.11+).
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Optional.h>
#include <torch/version.h>

#include <optional>

#define SPIKEDHS_TORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) ||           \
   (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

namespace spikedhs {

// c10::optional was a type of its own, then an alias, then removed.
#if SPIKEDHS_TORCH_AT_LEAST(2, 4)
template <typename T>
using optional = std::optional<T>;
#else
template <typename T>
using optional = c10::optional<T>;
#endif

// No value for a tensor that is undefined.
inline optional<at::Tensor> if_defined(const at::Tensor &t) {
  return t.defined() ? optional<at::Tensor>(t) : optional<at::Tensor>();
}

}  // namespace spikedhs
