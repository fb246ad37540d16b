// Compiled kernels, kept in the user's cache folder from one process to the
// next.
#pragma once

#include <string>

#include "nvrtc.h"

namespace spikedhs {

// One version of one kernel.
struct Kernel {
  std::string image;    // what the driver loads
  std::string lowered;  // the kernel's name in it
};

// The folder of the entries: kernels/ in $SPIKEDHS_CACHE, else in spikedhs/ of
// $XDG_CACHE_HOME, else of ~/.cache; empty where none of them is set.
std::string kernel_cache_folder();

// From the cache, or compiled and then kept there. A folder that cannot be
// used, a full disk, an entry that is damaged or that another process writes at
// the same time are no errors: the kernel is compiled and not kept, or written
// again. Throws where it does not compile.
Kernel cached_kernel(const Nvrtc &nvrtc, const std::string &program,
                     const std::string &instance,
                     const std::string &architecture);

}  // namespace spikedhs
