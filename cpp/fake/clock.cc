// Moments on the fake device, whose work is done when it is asked for.
#include <chrono>

#include "device_clock.h"

namespace spikedhs {
namespace {
using Clock = std::chrono::steady_clock;
}

Moment mark_moment(int) {
  return Moment(new Clock::time_point(Clock::now()),
                [](void *t) { delete static_cast<Clock::time_point *>(t); });
}

int64_t nanoseconds_between(const Moment &from, const Moment &to) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             *static_cast<const Clock::time_point *>(to.get()) -
             *static_cast<const Clock::time_point *>(from.get()))
      .count();
}

}  // namespace spikedhs
