// The device code as text, embedded by cmake/DeviceKernels.cmake.
#pragma once

namespace spikedhs {

// A .cu file, or a header that one includes.
struct KernelSource {
  const char *name, *text;
};
extern const KernelSource kKernelSources[];
extern const int kKernelSourceCount;

}  // namespace spikedhs
