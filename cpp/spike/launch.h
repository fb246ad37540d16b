// The one way from an operator to a kernel of ours on a device: compiled at its
// first use, launched on libtorch's current stream.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <string>

#include "accelerator.h"

#ifdef SPIKEDHS_FAKE_DEVICE
#include "../fake/fake.h"
#endif

// Whether there are operators for an accelerator in this build.
#if defined(SPIKEDHS_CUDA) || defined(SPIKEDHS_FAKE_DEVICE)
#define SPIKEDHS_DEVICE_OPERATORS
#endif

namespace spikedhs {

// One version of a kernel: its program, such as "lif.cu", and its C++ name
// there.
struct Instance {
  const char *program;
  std::string name;
};

struct Grid {
  int64_t blocks;
  int threads;
  int64_t shared;  // bytes of a block
};

struct KernelCall {
  Instance instance;
  Grid grid;
};

// Blocks of `threads` that do `work`, each thread `lanes` of it.
inline Grid grid_of(int64_t work, int threads, int lanes, int64_t shared = 0) {
  const int64_t each = int64_t{threads} * lanes;
  return {(work + each - 1) / each, threads, shared};
}

// Whether kernels can be compiled for this device and launched there. Asked for
// the first time it compiles a small one. Where not, a warning says why, once a
// process; the composed operators then take over.
bool kernels_ready(c10::Device device);

// Why not; "" when they are ready.
std::string kernels_missing(c10::Device device);

// Launches a kernel whose only argument lies at `arguments`. False where it
// could not be compiled, after a warning. Throws where the launch fails, or
// where a graph is recorded and the kernel would have to be loaded first.
bool launch_kernel(c10::Device device, const char *name,
                   const Instance &instance, const Grid &grid, void *arguments);

}  // namespace spikedhs
