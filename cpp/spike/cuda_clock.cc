// Moments on CUDA streams are events.
#include <c10/util/Exception.h>

#include <cmath>

#include "device_clock.h"

#ifdef SPIKEDHS_CUDA
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>
#endif

namespace spikedhs {

#ifdef SPIKEDHS_CUDA

Moment mark_moment(int index) {
  const auto device = static_cast<c10::DeviceIndex>(index);
  const c10::cuda::CUDAGuard guard(device);
  cudaEvent_t event = nullptr;
  C10_CUDA_CHECK(cudaEventCreateWithFlags(&event, cudaEventDefault));
  Moment moment(event, [](void *e) {
    (void)cudaEventDestroy(static_cast<cudaEvent_t>(e));
  });
  C10_CUDA_CHECK(
      cudaEventRecord(event, c10::cuda::getCurrentCUDAStream(device).stream()));
  return moment;
}

int64_t nanoseconds_between(const Moment &from, const Moment &to) {
  float milliseconds = 0;
  C10_CUDA_CHECK(cudaEventElapsedTime(&milliseconds,
                                      static_cast<cudaEvent_t>(from.get()),
                                      static_cast<cudaEvent_t>(to.get())));
  return std::llround(1e6 * static_cast<double>(milliseconds));
}

#else

Moment mark_moment(int) {
  TORCH_CHECK(false, "this build has no CUDA to take the time of");
}

int64_t nanoseconds_between(const Moment &, const Moment &) { return 0; }

#endif  // SPIKEDHS_CUDA

}  // namespace spikedhs
