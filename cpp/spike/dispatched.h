// Calls of our own operators through libtorch's dispatcher.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

namespace spikedhs {

// The operator of a name; Function is the type of its composed form.
template <typename Function>
auto dispatched(const char *name) {
  return c10::Dispatcher::singleton()
      .findSchemaOrThrow(name, "")
      .typed<Function>();
}

}  // namespace spikedhs
