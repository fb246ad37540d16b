// The libtorch that is loaded, and the one of the build.
#include "libtorch.h"

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <torch/version.h>

#include "guard.h"

#ifndef SPIKEDHS_LIBTORCH_FOUND_BY
#define SPIKEDHS_LIBTORCH_FOUND_BY "unknown"
#endif

namespace spikedhs {

std::string libtorch_library() {
  Dl_info where;
  if (dladdr(reinterpret_cast<void *>(&at::globalContext), &where) == 0 ||
      where.dli_fname == nullptr) {
    return "";
  }
  return where.dli_fname;
}

namespace {
// The headers hold the version of the build alone. The library has its own in
// the list of its build's settings, "..., TORCH_VERSION=2.6.0, ...".
std::string loaded_version() {
  const std::string key = "TORCH_VERSION=";
  const std::string settings = at::show_config();
  const size_t at = settings.find(key);
  if (at == std::string::npos) return TORCH_VERSION;
  const size_t begin = at + key.size();
  return settings.substr(begin, settings.find_first_of(", \n", begin) - begin);
}
}  // namespace

}  // namespace spikedhs

const char *sd_torch_version(void) {
  try {
    static const std::string version = spikedhs::loaded_version();
    return version.c_str();
  } catch (...) {
    return TORCH_VERSION;
  }
}

const char *sd_torch_library(void) {
  static const std::string library = spikedhs::libtorch_library();
  return library.c_str();
}

const char *sd_build_version(void) { return TORCH_VERSION; }
const char *sd_build_found_by(void) { return SPIKEDHS_LIBTORCH_FOUND_BY; }
