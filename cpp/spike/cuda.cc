// CUDA devices: what they can do, their memory, streams and graphs.
//
// Most need the headers of the CUDA runtime, but not nvcc. Built without them
// these functions say so, or answer with zeros.
#include <ATen/ATen.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <memory>

#include "compat.h"
#include "driver.h"
#include "guard.h"
#include "nvrtc.h"

#ifdef SPIKEDHS_CUDA
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>
#endif

using spikedhs::guarded;

namespace {
// What `ask` answers, 0 where it throws: libtorch does so for a part that it
// was built without.
template <typename Ask>
int version_or_none(Ask ask) {
  try {
    return static_cast<int>(ask());
  } catch (const std::exception &) {
    return 0;
  }
}
}  // namespace

char *sd_cuda_versions(int *runtime, int *driver, int *nvrtc, int *cudnn,
                       char **driver_error, char **nvrtc_path) {
  *driver_error = *nvrtc_path = nullptr;
  return guarded([&] {
    const at::CUDAHooksInterface &cuda = at::detail::getCUDAHooks();
    *runtime = version_or_none([&] { return cuda.versionCUDART(); });
    *cudnn = version_or_none([&] { return cuda.versionCuDNN(); });
    *driver = spikedhs::Driver::newest_cuda();
    *nvrtc = version_or_none([] { return spikedhs::Nvrtc::get().version(); });
    std::string error;
    try {
      (void)spikedhs::Driver::get();
    } catch (const std::exception &e) {
      error = spikedhs::message_of(e);
    }
    *driver_error = spikedhs::copy_text(error);
    *nvrtc_path =
        spikedhs::copy_text(*nvrtc != 0 ? spikedhs::Nvrtc::get().path() : "");
  });
}

char *sd_cuda_name(int index, char **name) {
  return guarded([&] {
    const spikedhs::Driver &driver = spikedhs::Driver::get();
    int handle = 0;
    char text[256] = "";
    driver.check(driver.device(&handle, index), "device");
    driver.check(driver.name(text, sizeof text, handle), "name");
    *name = spikedhs::copy_text(text);
  });
}

#ifdef SPIKEDHS_CUDA

namespace spikedhs {
namespace {

using Pool = decltype(at::cuda::graph_pool_handle());

struct Graph {
  at::cuda::CUDAGraph captured;
  Pool pool;
  int device;
};

using DeviceGuard = c10::cuda::CUDAGuard;

// libtorch's calls without a device in their names mean the calling thread's
// current one, which need not be the one that is worked on.
DeviceGuard on(int index) {
  return DeviceGuard(static_cast<c10::DeviceIndex>(index));
}

// Makes sure that libtorch has started CUDA on this device.
void wake(int index) {
  at::empty({1}, at::TensorOptions().dtype(at::kByte).device(
                     c10::Device(c10::kCUDA, index)));
}

// The exchange of streams of sd_stream_enter.
struct Streams {
  c10::cuda::CUDAStream before;
  c10::cuda::CUDAStream own;
};

Graph *graph_of(sd_graph handle) {
  TORCH_CHECK(handle != nullptr, "the graph was closed");
  return static_cast<Graph *>(handle);
}

// Leaves a capture that went wrong. Returns whether the graph may be deleted.
bool abandon(Graph *graph) {
  const DeviceGuard device = on(graph->device);
  try {
    graph->captured.capture_end();
    return true;
  } catch (...) {
  }
  // The allocator goes on asking this graph which allocations are its own.
#if SPIKEDHS_TORCH_AT_LEAST(2, 3)
  try {
    c10::cuda::CUDACachingAllocator::endAllocateToPool(graph->device,
                                                       graph->pool);
    c10::cuda::CUDACachingAllocator::releasePool(graph->device, graph->pool);
  } catch (...) {
  }
#endif
  (void)cudaGetLastError();  // or the next kernel would be blamed
  return false;
}

}  // namespace
}  // namespace spikedhs

using spikedhs::abandon;
using spikedhs::DeviceGuard;
using spikedhs::Graph;
using spikedhs::graph_of;

void sd_cuda_capability(int index, int *major, int *minor) {
  if (cudaDeviceGetAttribute(major, cudaDevAttrComputeCapabilityMajor, index) !=
          cudaSuccess ||
      cudaDeviceGetAttribute(minor, cudaDevAttrComputeCapabilityMinor, index) !=
          cudaSuccess) {
    *major = *minor = 0;
    (void)cudaGetLastError();
  }
}

char *sd_cuda_memory(int index, int64_t *allocated, int64_t *peak,
                     int64_t *free_bytes, int64_t *total) {
  return guarded([&] {
    spikedhs::wake(index);
    const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(
        static_cast<c10::DeviceIndex>(index));
    *allocated = stats.allocated_bytes[0].current;  // 0: of all pools together
    *peak = stats.allocated_bytes[0].peak;
    const DeviceGuard device = spikedhs::on(index);
    size_t available = 0, whole = 0;
    C10_CUDA_CHECK(cudaMemGetInfo(&available, &whole));
    *free_bytes = static_cast<int64_t>(available);
    *total = static_cast<int64_t>(whole);
  });
}

char *sd_cuda_reset_peak(int index) {
  return guarded([&] {
    spikedhs::wake(index);
    c10::cuda::CUDACachingAllocator::resetPeakStats(
        static_cast<c10::DeviceIndex>(index));
  });
}

char *sd_stream_enter(int index, sd_stream *out) {
  return guarded([&] {
    const auto device = static_cast<c10::DeviceIndex>(index);
    const DeviceGuard guard = spikedhs::on(index);
    spikedhs::wake(index);
    const c10::cuda::CUDAStream before =
        c10::cuda::getCurrentCUDAStream(device);
    before.synchronize();  // what was made there is used here from now on
    auto streams = std::make_unique<spikedhs::Streams>(spikedhs::Streams{
        before,
        c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device)});
    c10::cuda::setCurrentCUDAStream(streams->own);
    *out = streams.release();
  });
}

char *sd_stream_leave(sd_stream stream) {
  return guarded([&] {
    const std::unique_ptr<spikedhs::Streams> streams(
        static_cast<spikedhs::Streams *>(stream));
    if (streams == nullptr) return;
    c10::cuda::setCurrentCUDAStream(streams->before);
    streams->own.synchronize();
  });
}

char *sd_graph_begin(int index, sd_graph share, sd_graph *out) {
  return guarded([&] {
    const DeviceGuard device = spikedhs::on(index);
    auto graph = std::make_unique<Graph>();
    graph->device = index;
    graph->pool = share != nullptr ? graph_of(share)->pool
                                   : at::cuda::graph_pool_handle();
    c10::cuda::getCurrentCUDAStream().synchronize();
    // A graph has memory of its own: what the steps before it needed is free.
    c10::cuda::CUDACachingAllocator::emptyCache();
    Graph *handle = graph.release();  // see abandon
    try {
      handle->captured.capture_begin(handle->pool);
    } catch (...) {
      if (abandon(handle)) delete handle;
      throw;
    }
    *out = handle;
  });
}

char *sd_graph_end(sd_graph graph) {
  return guarded([&] {
    Graph *handle = graph_of(graph);
    const DeviceGuard device = spikedhs::on(handle->device);
    try {
      handle->captured.capture_end();
    } catch (...) {
      if (abandon(handle)) delete handle;
      throw;
    }
  });
}

void sd_graph_abandon(sd_graph graph) {
  if (graph == nullptr) return;
  Graph *handle = static_cast<Graph *>(graph);
  if (abandon(handle)) delete handle;
}

char *sd_graph_replay(sd_graph graph) {
  return guarded([&] {
    Graph *handle = graph_of(graph);
    const DeviceGuard device = spikedhs::on(handle->device);
    handle->captured.replay();
  });
}

void sd_graph_free(sd_graph graph) {
  if (graph == nullptr) return;
  Graph *handle = static_cast<Graph *>(graph);
  const DeviceGuard device = spikedhs::on(handle->device);
  delete handle;
}

#else  // SPIKEDHS_CUDA

namespace {
char *no_cuda() {
  return spikedhs::copy_text(
      "built without the headers of CUDA; `spikedhs doctor` says what to do");
}
}  // namespace

void sd_cuda_capability(int, int *major, int *minor) { *major = *minor = 0; }

char *sd_cuda_memory(int, int64_t *allocated, int64_t *peak,
                     int64_t *free_bytes, int64_t *total) {
  *allocated = *peak = *free_bytes = *total = 0;
  return nullptr;
}

char *sd_cuda_reset_peak(int) { return nullptr; }
char *sd_stream_enter(int, sd_stream *) { return no_cuda(); }
char *sd_stream_leave(sd_stream) { return nullptr; }
char *sd_graph_begin(int, sd_graph, sd_graph *) { return no_cuda(); }
char *sd_graph_end(sd_graph) { return no_cuda(); }
void sd_graph_abandon(sd_graph) {}
char *sd_graph_replay(sd_graph) { return no_cuda(); }
void sd_graph_free(sd_graph) {}

#endif  // SPIKEDHS_CUDA
