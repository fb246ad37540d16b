// Memory for what a thread packs.
#pragma once

#include <cstdint>
#include <vector>

#include "lif_step.h"

namespace spikedhs {

// Zeros, from the beginning of a cache line on.
class Room {
 public:
  explicit Room(int64_t elements) : memory_(elements + kLine) {
    const auto at = reinterpret_cast<uintptr_t>(memory_.data());
    constexpr uintptr_t kBytes = kLine * sizeof(Bf16);
    begin_ = memory_.data() + (kBytes - at % kBytes) % kBytes / sizeof(Bf16);
  }
  Room(const Room &) = delete;
  Room &operator=(const Room &) = delete;
  Bf16 *begin() const { return begin_; }

 private:
  static constexpr int64_t kLine = 32;
  std::vector<Bf16> memory_;
  Bf16 *begin_;
};

}  // namespace spikedhs
