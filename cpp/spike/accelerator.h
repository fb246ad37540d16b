// The device type that stands behind the name "cuda".
//
// It is CUDA, but in the build of the device tests (-DSPIKEDHS_FAKE_DEVICE=ON),
// where the fake device of cpp/fake takes its place, so that every branch that
// asks for CUDA is run on machines without a GPU.
#pragma once

#include <c10/core/Device.h>

#ifdef SPIKEDHS_FAKE_DEVICE
#define SPIKEDHS_ACCELERATOR_KEY PrivateUse1  // for TORCH_LIBRARY_IMPL
#else
#define SPIKEDHS_ACCELERATOR_KEY CUDA
#endif

namespace spikedhs {

#ifdef SPIKEDHS_FAKE_DEVICE
constexpr c10::DeviceType kAccelerator = c10::kPrivateUse1;
#else
constexpr c10::DeviceType kAccelerator = c10::kCUDA;
#endif

// The numbers of device types that the C interface speaks: 0 CPU, 1 CUDA.
inline c10::DeviceType device_type_of(int number) {
  const auto type = static_cast<c10::DeviceType>(number);
  return type == c10::kCUDA ? kAccelerator : type;
}

inline int number_of(c10::DeviceType type) {
  return static_cast<int>(type == kAccelerator ? c10::kCUDA : type);
}

}  // namespace spikedhs
