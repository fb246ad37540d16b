// Moments on the stream of a device, for the time that operators take there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace spikedhs {

// Reached when the work before it on the stream is done.
using Moment = std::unique_ptr<void, std::function<void(void *)>>;

// The end of what the calling thread's current stream of the device `index` has
// been given so far. Throws where this build has no CUDA.
Moment mark_moment(int index);

// Between two moments that have both passed.
int64_t nanoseconds_between(const Moment &from, const Moment &to);

}  // namespace spikedhs
