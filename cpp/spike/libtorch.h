// The libtorch that is loaded. It need not be that of the build: prebuilt shims
// run with any PyTorch of their version.
#pragma once

#include <string>

namespace spikedhs {

// The path of libtorch's main library, "" where the loader does not tell.
std::string libtorch_library();

}  // namespace spikedhs
