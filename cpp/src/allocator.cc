// Keeps glibc from giving tensor memory back to the system.
//
// Every step of a training makes and frees the same hundreds of tensors of some
// megabytes. By default glibc maps each of them anew and the kernel fills every
// page with zeros at first touch: that was a quarter of a training step. Here
// freed memory stays in the heap. The peak stays what it was; between peaks the
// process is larger than it would be.
//
// Whoever sets MALLOC_* or GLIBC_TUNABLES in the environment knows better.
#include <cstdlib>
#include <initializer_list>

#if defined(__GLIBC__)
#include <malloc.h>

namespace {

bool keep_memory() {
  for (const char *name :
       {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_",
        "MALLOC_ARENA_MAX", "GLIBC_TUNABLES"}) {
    if (std::getenv(name) != nullptr) return false;
  }
  // Larger tensors than this come straight from the system.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 0x7fffffff);
  mallopt(M_TOP_PAD, 64 << 20);
  // One heap: the others are limited to 64 MB and cannot keep large blocks.
  mallopt(M_ARENA_MAX, 1);
  return true;
}

[[maybe_unused]] const bool kept = keep_memory();

}  // namespace
#endif
