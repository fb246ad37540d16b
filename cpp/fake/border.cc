// The C functions about CUDA devices (cuda.cc, cuda_devices.cc), for the fake
// one, and what the device tests ask of it.
#include <atomic>
#include <cstring>

#include "capture.h"
#include "guard.h"
#include "spikedhs/fake.h"

using spikedhs::guarded;
namespace fake = spikedhs::fake;

namespace {
void check_device(int index) {
  TORCH_CHECK(index >= 0 && index < fake::kDevices, "the fake device has ",
              fake::kDevices, " devices, there is no ", index);
}

fake::Graph *graph_of(sd_graph handle) {
  TORCH_CHECK(handle != nullptr, "the graph was closed");
  return static_cast<fake::Graph *>(handle);
}

struct Streams {
  int device;
  c10::StreamId before;
};
}  // namespace

char *sd_cuda_versions(int *runtime, int *driver, int *nvrtc, int *cudnn,
                       char **driver_error, char **nvrtc_path) {
  return guarded([&] {
    *runtime = *driver = 12080;
    *cudnn = 90701;
    *nvrtc = fake::kernels() ? 1208 : 0;
    *driver_error = spikedhs::copy_text("");
    *nvrtc_path = spikedhs::copy_text(fake::kernels() ? "fake device" : "");
  });
}

char *sd_cuda_name(int index, char **name) {
  return guarded([&] {
    check_device(index);
    *name = spikedhs::copy_text("fake device");
  });
}

int sd_cuda_built(void) { return 1; }
int sd_cuda_devices(void) { return fake::kDevices; }

char *sd_cuda_synchronize(int) {
  return guarded([&] { fake::refuse_in_capture("waiting"); });
}

void sd_cuda_capability(int, int *major, int *minor) {
  fake::capability(major, minor);
}

char *sd_cuda_memory(int index, int64_t *allocated, int64_t *peak,
                     int64_t *free_bytes, int64_t *total) {
  return guarded([&] {
    check_device(index);
    const fake::MemoryUse use = fake::memory_use(index);
    *allocated = use.allocated, *peak = use.peak;
    *free_bytes = use.free, *total = use.total;
  });
}

char *sd_cuda_reset_peak(int index) {
  return guarded([&] {
    check_device(index);
    fake::reset_peak(index);
  });
}

char *sd_stream_enter(int index, sd_stream *out) {
  return guarded([&] {
    check_device(index);
    TORCH_CHECK(!fake::setting("SPIKEDHS_FAKE_NO_STREAM"),
                "fake device: streams are switched off");
    static std::atomic<c10::StreamId> last{0};
    *out = new Streams{index, fake::exchange_stream(index, ++last)};
  });
}

char *sd_stream_leave(sd_stream stream) {
  return guarded([&] {
    const std::unique_ptr<Streams> streams(static_cast<Streams *>(stream));
    if (streams == nullptr) return;
    fake::exchange_stream(streams->device, streams->before);
  });
}

char *sd_graph_begin(int index, sd_graph, sd_graph *out) {
  return guarded([&] {
    check_device(index);
    *out = fake::begin_capture(index).release();
  });
}

char *sd_graph_end(sd_graph graph) {
  return guarded([&] {
    fake::Graph *handle = graph_of(graph);
    try {
      fake::end_capture(handle);
    } catch (...) {
      delete handle;
      throw;
    }
  });
}

void sd_graph_abandon(sd_graph graph) {
  if (graph == nullptr) return;
  fake::abandon_capture(static_cast<fake::Graph *>(graph));
  delete static_cast<fake::Graph *>(graph);
}

char *sd_graph_replay(sd_graph graph) {
  return guarded([&] { fake::replay(*graph_of(graph)); });
}

void sd_graph_free(sd_graph graph) { delete static_cast<fake::Graph *>(graph); }

char *sd_fake_report(void) { return spikedhs::copy_text(fake::report()); }
void sd_fake_reset(void) { fake::reset_counts(); }
void sd_fake_fail_allocation(int64_t nth) { fake::fail_allocation(nth); }
