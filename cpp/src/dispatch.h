// Picks what was compiled for several instruction sets (*_kernels.cc).
#pragma once

#include "isa.h"

// SPIKEDHS_DISPATCH(type, name) declares `type name()` in the namespace of
// every instruction set and defines one beside them that calls that of the
// processor at hand.
#if defined(SPIKEDHS_X86_KERNELS)
#define SPIKEDHS_DISPATCH(type, name) \
  namespace generic {                 \
  type name();                        \
  }                                   \
  namespace avx2 {                    \
  type name();                        \
  }                                   \
  namespace avx512 {                  \
  type name();                        \
  }                                   \
  inline type name() {                \
    switch (isa()) {                  \
      case Isa::kAvx512:              \
        return avx512::name();        \
      case Isa::kAvx2:                \
        return avx2::name();          \
      default:                        \
        return generic::name();       \
    }                                 \
  }
#else
#define SPIKEDHS_DISPATCH(type, name) \
  namespace generic {                 \
  type name();                        \
  }                                   \
  inline type name() { return generic::name(); }
#endif
