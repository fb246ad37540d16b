#include "isa.h"

#include <cstdlib>
#include <string>

namespace spikedhs {
namespace {

Isa choose() {
  const char *text = std::getenv("SPIKEDHS_KERNELS");
  const std::string wish = text == nullptr ? "" : text;
  if (wish == "generic") return Isa::kGeneric;
#if defined(SPIKEDHS_X86_KERNELS)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("fma")) return Isa::kGeneric;
  if (wish != "avx2" && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq")) {
    return Isa::kAvx512;
  }
  if (__builtin_cpu_supports("avx2")) return Isa::kAvx2;
#endif
  return Isa::kGeneric;
}

}  // namespace

Isa isa() {
  static const Isa chosen = choose();
  return chosen;
}

}  // namespace spikedhs
