// Time by operator, forward and backward, from libtorch's own record hooks.
#include <ATen/record_function.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>

#include "guard.h"

namespace spikedhs {
namespace {

using Clock = std::chrono::steady_clock;

struct Total {
  int64_t calls = 0;
  int64_t nanoseconds = 0;
};

std::mutex mutex;
std::map<std::string, Total> totals;
at::CallbackHandle callback = 0;
bool with_shapes = false;

// One running operator; what its children take is not its own time.
struct Running : at::ObserverContext {
  Clock::time_point start = Clock::now();
  int64_t children = 0;
  Running *parent = nullptr;
  std::string shapes;
};

thread_local Running *innermost = nullptr;

// The types and shapes of tensor arguments, such as " float[8, 3, 32, 32]".
std::string describe(const at::RecordFunction &function) {
  std::ostringstream text;
  for (const c10::IValue &input : function.inputs()) {
    if (!input.isTensor() || !input.toTensor().defined()) continue;
    text << ' ' << input.toTensor().scalar_type() << input.toTensor().sizes();
  }
  return text.str();
}

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction &function) {
  auto running = std::make_unique<Running>();
  if (with_shapes) running->shapes = describe(function);
  running->parent = innermost;
  innermost = running.get();
  return running;
}

void end(const at::RecordFunction &function, at::ObserverContext *context) {
  auto *running = static_cast<Running *>(context);
  const int64_t whole = std::chrono::duration_cast<std::chrono::nanoseconds>(
                            Clock::now() - running->start)
                            .count();
  innermost = running->parent;
  if (innermost != nullptr) innermost->children += whole;
  std::lock_guard<std::mutex> lock(mutex);
  Total &total = totals[function.name() + running->shapes];
  total.calls++;
  total.nanoseconds += whole - running->children;
}

}  // namespace
}  // namespace spikedhs

char *sd_profile_start(int shapes) {
  return spikedhs::guarded([&] {
    std::lock_guard<std::mutex> lock(spikedhs::mutex);
    TORCH_CHECK(spikedhs::callback == 0, "a profile is running already");
    spikedhs::totals.clear();
    spikedhs::with_shapes = shapes != 0;
    spikedhs::callback = at::addGlobalCallback(
        at::RecordFunctionCallback(&spikedhs::begin, &spikedhs::end)
            .needsInputs(shapes != 0));
  });
}

char *sd_profile_stop(char **table) {
  return spikedhs::guarded([&] {
    std::lock_guard<std::mutex> lock(spikedhs::mutex);
    TORCH_CHECK(spikedhs::callback != 0, "no profile is running");
    at::removeCallback(spikedhs::callback);
    spikedhs::callback = 0;
    std::ostringstream text;
    for (const auto &entry : spikedhs::totals) {
      text << entry.first << '\t' << entry.second.calls << '\t'
           << entry.second.nanoseconds << '\n';
    }
    *table = spikedhs::copy_text(text.str());
  });
}
