// What this library sets once in a process, when it is loaded: how memory is
// kept and how many threads small matrix products use. Whoever sets the
// environment variables named here knows better, and nothing is changed.
#include <cstdlib>
#include <initializer_list>

#if defined(__linux__)
#include <dlfcn.h>
#include <malloc.h>

namespace {

bool is_set(std::initializer_list<const char *> names) {
  for (const char *name : names) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

// Every step of a training makes and frees the same hundreds of tensors of some
// megabytes. By default glibc maps each of them anew and the kernel fills every
// page with zeros at first touch: that was a quarter of a training step. Here
// freed memory stays in the heap. The peak stays what it was; between peaks the
// process is larger than it would be.
void keep_memory() {
#if defined(__GLIBC__)
  if (is_set({"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_",
              "MALLOC_TOP_PAD_", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES"})) {
    return;
  }
  // Larger tensors than this come straight from the system.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 0x7fffffff);
  mallopt(M_TOP_PAD, 64 << 20);
  // One heap: the others are limited to 64 MB and cannot keep large blocks.
  mallopt(M_ARENA_MAX, 1);
#endif
}

// OpenBLAS has threads of its own beside libtorch's, which spin while they
// wait: on all cores the two take the processor from each other, and the small
// products of the heads took ten times as long. The large products here are
// convolutions, which OpenBLAS does not compute.
void one_blas_thread() {
  if (is_set({"OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"})) {
    return;
  }
  using SetThreads = void (*)(int);
  if (auto *set = reinterpret_cast<SetThreads>(
          dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) {
    set(1);
  }
}

[[maybe_unused]] const bool done = [] {
  keep_memory();
  one_blas_thread();
  return true;
}();

}  // namespace
#endif
