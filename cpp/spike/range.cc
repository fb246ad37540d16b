// Named ranges of work, as libtorch's profilers know them.
#include <ATen/record_function.h>

#include <memory>
#include <string>
#include <vector>

#include "spikedhs/spikedhs.h"

namespace {
thread_local std::vector<std::unique_ptr<at::RecordFunction>> ranges;
}

void sd_range_begin(const char *name) {
  try {
    ranges.push_back(
        std::make_unique<at::RecordFunction>(at::RecordScope::USER_SCOPE));
    if (ranges.back()->isActive()) ranges.back()->before(std::string(name));
  } catch (...) {
    // Whoever listens failed; the work itself can go on.
  }
}

void sd_range_end(void) {
  if (!ranges.empty()) ranges.pop_back();
}
