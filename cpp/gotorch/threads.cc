// gotorch's init gives libtorch half of the processors as threads. Half of one
// is none, which libtorch refuses with an exception that nobody catches, so a
// program would end before main wherever it may use one processor only. The
// sources of gotorch are compiled unchanged, but with this function under
// another name.
#include "cgotorch/device.h"

#undef SetNumThreads
extern "C" void SetNumThreads(int32_t n) {
  GotorchSetNumThreads(n < 1 ? 1 : n);
}
