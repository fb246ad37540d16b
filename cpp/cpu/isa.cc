#include "isa.h"

#include <torch/library.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "tiles.h"

#if defined(SPIKEDHS_X86_KERNELS) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#define SPIKEDHS_ASKS_FOR_AMX
#endif

namespace spikedhs {
namespace {

#define SPIKEDHS_NAME(name) #name,
constexpr const char *kIsaNames[] = {SPIKEDHS_EACH_ISA(SPIKEDHS_NAME)};
constexpr const char *kFamilyNames[] = {SPIKEDHS_EACH_FAMILY(SPIKEDHS_NAME)};
#undef SPIKEDHS_NAME

// The number of a name in a list; -1: it is not there.
template <size_t kCount>
int number_of(const std::string &name, const char *const (&names)[kCount]) {
  const auto at = std::find(names, names + kCount, name);
  return at == names + kCount ? -1 : static_cast<int>(at - names);
}

// SPIKEDHS_KERNELS.
struct Wish {
  Isa most = Isa::amx;
  std::vector<int> without;

  Wish() {
    const char *text = std::getenv("SPIKEDHS_KERNELS");
    std::istringstream words(text == nullptr ? "" : text);
    for (std::string word; std::getline(words, word, ',');) {
      const bool minus = !word.empty() && word[0] == '-';
      const int at = minus ? number_of(word.substr(1), kFamilyNames)
                           : number_of(word, kIsaNames);
      if (at < 0) {
        TORCH_WARN("SPIKEDHS_KERNELS: there is no ", word);
      } else if (minus) {
        without.push_back(at);
      } else {
        most = static_cast<Isa>(at);
      }
    }
  }
  static const Wish &get() {
    static const Wish wish;
    return wish;
  }
};

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

// Whether the processor goes one step up from the instruction set before.
bool has(Isa next) {
#if defined(SPIKEDHS_X86_KERNELS)
  switch (next) {
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512dq");
    case Isa::avx512bf16:
      return __builtin_cpu_supports("avx512bf16");
    case Isa::amx:
      return has_amx();
    default:
      break;
  }
#endif
  return next == Isa::generic;
}

Isa choose() {
#if defined(SPIKEDHS_X86_KERNELS)
  __builtin_cpu_init();
#endif
  int best = 0;
  const int most = static_cast<int>(Wish::get().most);
  while (best < most && has(static_cast<Isa>(best + 1))) best++;
  return static_cast<Isa>(best);
}

// Whether there are kernels of a family for this processor, and they are
// wanted.
bool has_kernels(const std::string &name) {
  const int at = number_of(name, kFamilyNames);
  TORCH_CHECK(at >= 0, "has_kernels: there is no family ", name);
  const auto family = static_cast<Kernels>(at);
  switch (family) {
    case Kernels::tiles:
      return amx_tiles() != nullptr;
    case Kernels::winograd:
      return wanted(family) && isa() != Isa::generic;
    default:
      return wanted(family);
  }
}

}  // namespace

Isa isa() {
  static const Isa chosen = choose();
  return chosen;
}

bool wanted(Kernels family) {
  const auto &without = Wish::get().without;
  return std::find(without.begin(), without.end(), static_cast<int>(family)) ==
         without.end();
}

}  // namespace spikedhs

TORCH_LIBRARY_FRAGMENT(spikedhs, m) {
  m.def("has_kernels(str family) -> bool",
        [](std::string family) { return spikedhs::has_kernels(family); });
}
