#include "isa.h"

#include <cstdlib>
#include <string>

#if defined(SPIKEDHS_X86_KERNELS) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#define SPIKEDHS_ASKS_FOR_AMX
#endif

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

bool has_amx() {
#if defined(SPIKEDHS_ASKS_FOR_AMX)
  unsigned int a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned int kTiles = 1u << 24, kBfloat16 = 1u << 22;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  if ((d & kTiles) == 0 || (d & kBfloat16) == 0) return false;
  // Linux gives the tiles' registers to processes that ask for them
  // (arch/x86/include/uapi/asm/prctl.h); older ones know no such request.
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
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

bool isa_amx() {
  static const bool has = isa_bfloat16() && wished().empty() && has_amx();
  return has;
}

}  // namespace spikedhs
