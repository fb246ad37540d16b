// A step of stochastic gradient descent on numbers side by side, compiled for
// several instruction sets; no ATen type appears here.
#pragma once

#include <stdint.h>

namespace spikedhs {

struct SgdConstants {
  float momentum, decay, rate;
};

// m = momentum * m + g + decay * w; w -= rate * m. Rounds as libtorch's
// operators one after the other do. nullptr where the processor has no
// instruction that rounds a product and a sum once, as those do where there is
// one.
using SgdKernel = void (*)(const SgdConstants &c, int64_t n, const float *g,
                           float *m, float *w);

}  // namespace spikedhs
