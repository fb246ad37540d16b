// What every C function of this library needs: one exit for exceptions, handles
// that are counted, and the thread count of the calling OS thread.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

#include "spikedhs/spikedhs.h"

namespace spikedhs {

// A copy that sd_release frees.
inline char *copy_text(const std::string &text) {
  char *copy = static_cast<char *>(std::malloc(text.size() + 1));
  if (copy != nullptr) std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

// Takes over a tensor as a new counted handle.
sd_tensor wrap(at::Tensor tensor);

// What is said of a NULL handle; Go's ErrClosed has the same text.
constexpr const char *kEmptyHandle = "tensor is empty or its scope was closed";

// The tensor behind a handle; throws when the handle is NULL.
at::Tensor &unwrap(sd_tensor handle);

// Gives the calling OS thread the number of threads set by sd_set_threads:
// OpenMP keeps that number per thread, and Go moves between threads.
void apply_thread_count();

// What an exception says, without a trace of the stack.
inline std::string message_of(const std::exception &e) {
  const auto *error = dynamic_cast<const c10::Error *>(&e);
  return error != nullptr ? error->what_without_backtrace() : e.what();
}

// Runs `body` and turns whatever it throws into a message.
template <typename Body>
char *guarded(Body body) {
  try {
    apply_thread_count();
    body();
    return nullptr;
  } catch (const std::exception &e) {
    return copy_text(message_of(e));
  } catch (...) {
    return copy_text("unknown C++ exception");
  }
}

}  // namespace spikedhs
