// Division that rounds up or down.
#pragma once

#include <cstdint>

namespace spikedhs {

// For a >= 0 and b > 0.
inline int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// For any a and b > 0.
inline int64_t divide_down(int64_t a, int64_t b) {
  return a >= 0 ? a / b : -divide_up(-a, b);
}

}  // namespace spikedhs
