#include "capture.h"

#include <cstring>
#include <mutex>

namespace spikedhs::fake {
namespace {

// One recording at a time, as with cudaStreamCaptureModeGlobal. The backward
// pass runs on a thread of its own, so everything here may come from several.
std::recursive_mutex mutex;
Graph *capturing = nullptr;

[[noreturn]] void refuse(const std::string &what) {
  if (capturing->refused.empty()) capturing->refused = what;
  TORCH_CHECK(false, "fake device: ", what,
              " is not permitted while a graph is being recorded");
}

void save_before(const at::Tensor &t) {
  if (!on_fake(t) || t.numel() == 0) return;
  auto *data = static_cast<char *>(t.storage().data_ptr().get());
  for (const auto &made : capturing->made) {
    if (data >= made.data && data < made.data + made.bytes) return;
  }
  if (capturing->before.count(data) != 0) return;
  capturing->before.emplace(data, std::string(data, t.storage().nbytes()));
}

void restore(Graph *graph) {
  for (const auto &[data, bytes] : graph->before) {
    std::memcpy(data, bytes.data(), bytes.size());
  }
  graph->before.clear();
  for (const auto &made : graph->made) std::memset(made.data, 0x7f, made.bytes);
}

}  // namespace

void perform(std::function<void()> work, at::ArrayRef<at::Tensor> written) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (capturing == nullptr) return work();
  for (const at::Tensor &t : written) save_before(t);
  work();
  capturing->work.push_back(std::move(work));
}

bool is_capturing() {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  return capturing != nullptr;
}

void refuse_in_capture(const char *what) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (capturing != nullptr) refuse(what);
}

void check_stream_in_capture(int device) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (capturing == nullptr) return;
  if (device != capturing->device) refuse("work on another device");
  if (current_stream(device) != capturing->stream) {
    refuse("work on another stream");
  }
}

void keep_for_capture(const std::shared_ptr<void> &memory, void *data,
                      size_t bytes) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (capturing == nullptr) return;
  capturing->made.push_back({memory, static_cast<char *>(data), bytes});
}

std::unique_ptr<Graph> begin_capture(int device) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  TORCH_CHECK(!setting("SPIKEDHS_FAKE_NO_CAPTURE"),
              "fake device: graphs are switched off");
  TORCH_CHECK(capturing == nullptr, "fake device: a recording is going on");
  TORCH_CHECK(current_stream(device) != 0,
              "fake device: the default stream cannot be recorded");
  auto graph = std::make_unique<Graph>();
  graph->device = device;
  graph->stream = current_stream(device);
  capturing = graph.get();
  return graph;
}

void end_capture(Graph *graph) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  TORCH_CHECK(capturing == graph, "fake device: this is not being recorded");
  capturing = nullptr;
  restore(graph);
  TORCH_CHECK(graph->refused.empty(),
              "fake device: the recording failed: ", graph->refused);
}

void abandon_capture(Graph *graph) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (capturing != graph) return;
  capturing = nullptr;
  restore(graph);
}

void replay(const Graph &graph) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (capturing != nullptr) refuse("replaying another graph");
  for (const auto &work : graph.work) work();
  count_replay();
}

}  // namespace spikedhs::fake
