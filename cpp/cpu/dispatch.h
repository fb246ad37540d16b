// Picks what was compiled for several instruction sets (*_kernels.cc).
#pragma once

#include "isa.h"

#if defined(SPIKEDHS_X86_KERNELS)
#define SPIKEDHS_DECLARE(type, name) \
  namespace generic {                \
  type name();                       \
  }                                  \
  namespace avx2 {                   \
  type name();                       \
  }                                  \
  namespace avx512 {                 \
  type name();                       \
  }
#define SPIKEDHS_BEST(name)             \
  isa() >= Isa::avx512 ? avx512::name() \
  : isa() == Isa::avx2 ? avx2::name()   \
                       : generic::name()
#else
#define SPIKEDHS_DECLARE(type, name) \
  namespace generic {                \
  type name();                       \
  }
#define SPIKEDHS_BEST(name) generic::name()
#endif

// SPIKEDHS_DISPATCH(type, name) declares `type name()` in the namespace of
// every instruction set and defines one beside them that calls that of the
// processor at hand.
#define SPIKEDHS_DISPATCH(type, name) \
  SPIKEDHS_DECLARE(type, name)        \
  inline type name() { return SPIKEDHS_BEST(name); }
