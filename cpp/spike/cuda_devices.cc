// CUDA devices as libtorch itself knows them: how many, and waiting for one.
// Needs no header of CUDA.
#include <ATen/ATen.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "guard.h"

using spikedhs::guarded;

int sd_cuda_built(void) {
  return at::Context::hasCUDA() || at::globalContext().hasCUDART() ? 1 : 0;
}

int sd_cuda_devices(void) {
  try {
    return at::Context::hasCUDA()
               ? static_cast<int>(at::detail::getCUDAHooks().getNumGPUs())
               : 0;
  } catch (...) {
    return 0;
  }
}

char *sd_cuda_synchronize(int index) {
  return guarded([&] {
    if (!at::Context::hasCUDA()) return;
    const c10::impl::VirtualGuardImpl cuda(c10::kCUDA);
    const c10::Device device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
    const c10::DeviceGuard guard(device);
    cuda.getStream(device).synchronize();
  });
}
