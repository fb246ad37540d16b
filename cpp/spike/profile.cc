// Time by operator, forward and backward, from libtorch's own record hooks, and
// named ranges of work.
#include <ATen/record_function.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <vector>

#include "device_clock.h"
#include "guard.h"

namespace spikedhs {
namespace {

using Clock = std::chrono::steady_clock;

struct Total {
  int64_t calls = 0;
  int64_t nanoseconds = 0;
  int64_t device_nanoseconds = 0;
};

// What an operator's work took on the device is known when that has been done.
struct Span {
  Total *total;
  Total *caller;  // nullptr: no operator called it
  Moment from, to;
};

std::mutex mutex;
std::map<std::string, Total> totals;
std::vector<Span> spans;
int device = -1;            // whose time is taken; -1: none
std::string device_failed;  // why that could not go on
at::CallbackHandle callback = 0;
bool with_shapes = false;

// One running operator; what its children take is not its own time.
struct Running : at::ObserverContext {
  Clock::time_point start;
  int64_t children = 0;
  Running *parent = nullptr;
  std::string shapes;
  Moment from{nullptr, nullptr};
  std::vector<Span> inner;  // of operators that it called, without their caller
};

thread_local Running *innermost = nullptr;
thread_local std::vector<std::unique_ptr<at::RecordFunction>> ranges;

// The types and shapes of tensor arguments, such as " float[8, 3, 32, 32]".
std::string describe(const at::RecordFunction &function) {
  std::ostringstream text;
  for (const c10::IValue &input : function.inputs()) {
    if (!input.isTensor() || !input.toTensor().defined()) continue;
    text << ' ' << input.toTensor().scalar_type() << input.toTensor().sizes();
  }
  return text.str();
}

Moment mark() {
  try {
    return mark_moment(device);
  } catch (const std::exception &e) {
    std::lock_guard<std::mutex> lock(mutex);
    device_failed = message_of(e);
    return Moment(nullptr, nullptr);
  }
}

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction &function) {
  auto running = std::make_unique<Running>();
  if (with_shapes) running->shapes = describe(function);
  running->parent = innermost;
  innermost = running.get();
  if (device >= 0) running->from = mark();
  running->start = Clock::now();
  return running;
}

void end(const at::RecordFunction &function, at::ObserverContext *context) {
  auto *running = static_cast<Running *>(context);
  const int64_t whole = std::chrono::duration_cast<std::chrono::nanoseconds>(
                            Clock::now() - running->start)
                            .count();
  Moment to = device >= 0 ? mark() : Moment(nullptr, nullptr);
  innermost = running->parent;
  if (innermost != nullptr) innermost->children += whole;
  std::lock_guard<std::mutex> lock(mutex);
  Total &total = totals[function.name() + running->shapes];
  total.calls++;
  total.nanoseconds += whole - running->children;
  for (Span &span : running->inner) {
    span.caller = &total;
    spans.push_back(std::move(span));
  }
  if (running->from == nullptr || to == nullptr) return;
  Span span{&total, nullptr, std::move(running->from), std::move(to)};
  if (innermost != nullptr) {
    innermost->inner.push_back(std::move(span));
  } else {
    spans.push_back(std::move(span));
  }
}

}  // namespace
}  // namespace spikedhs

void sd_range_begin(const char *name) {
  try {
    spikedhs::ranges.push_back(
        std::make_unique<at::RecordFunction>(at::RecordScope::USER_SCOPE));
    at::RecordFunction &range = *spikedhs::ranges.back();
    if (range.isActive()) range.before(std::string(name));
  } catch (...) {
    // Whoever listens failed; the work itself can go on.
  }
}

void sd_range_end(void) {
  if (!spikedhs::ranges.empty()) spikedhs::ranges.pop_back();
}

char *sd_profile_start(int shapes, int device) {
  return spikedhs::guarded([&] {
    std::lock_guard<std::mutex> lock(spikedhs::mutex);
    TORCH_CHECK(spikedhs::callback == 0, "a profile is running already");
    if (device >= 0) (void)spikedhs::mark_moment(device);  // whether it can
    spikedhs::totals.clear();
    spikedhs::spans.clear();
    spikedhs::device_failed.clear();
    spikedhs::with_shapes = shapes != 0;
    spikedhs::device = device;
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
    TORCH_CHECK(spikedhs::device_failed.empty(), spikedhs::device_failed);
    for (const spikedhs::Span &span : spikedhs::spans) {
      const int64_t took = spikedhs::nanoseconds_between(span.from, span.to);
      span.total->device_nanoseconds += took;
      if (span.caller != nullptr) span.caller->device_nanoseconds -= took;
    }
    spikedhs::spans.clear();
    std::ostringstream text;
    for (const auto &entry : spikedhs::totals) {
      text << entry.first << '\t' << entry.second.calls << '\t'
           << entry.second.nanoseconds << '\t'
           << entry.second.device_nanoseconds << '\n';
    }
    *table = spikedhs::copy_text(text.str());
  });
}
