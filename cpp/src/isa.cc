#include "isa.h"

#include <cstdlib>
#include <string>

namespace spikedhs {
namespace {

std::string wished() {
  const char *text = std::getenv("SPIKEDHS_KERNELS");
  return text == nullptr ? "" : text;
}

Isa choose() {
  const std::string wish = wished();
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

bool isa_bfloat16() {
#if defined(SPIKEDHS_X86_KERNELS)
  static const bool has = isa() == Isa::kAvx512 && wished() != "avx512" &&
                          __builtin_cpu_supports("avx512bf16");
  return has;
#else
  return false;
#endif
}

}  // namespace spikedhs
