// Where NVRTC is looked for.
#include <c10/util/Exception.h>
#include <dlfcn.h>
#include <glob.h>

#include <algorithm>
#include <cstdlib>
#include <exception>

#include "libtorch.h"
#include "nvrtc.h"

namespace spikedhs {
namespace {

// The major version of the CUDA runtime that libtorch has loaded, else 0.
int runtime_major() {
  void *symbol = dlsym(RTLD_DEFAULT, "cudaRuntimeGetVersion");
  int version = 0;
  if (symbol == nullptr ||
      reinterpret_cast<int (*)(int *)>(symbol)(&version) != 0) {
    return 0;
  }
  return version / 1000;
}

void add_matches(const std::string &pattern, std::vector<std::string> *list) {
  glob_t found;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (size_t i = 0; i < found.gl_pathc; i++) {
      const std::string path = found.gl_pathv[i];
      if (path.find("nvrtc-builtins") != std::string::npos ||
          path.find(".alt.") != std::string::npos) {
        continue;
      }
      list->push_back(path);
    }
  }
  globfree(&found);
}

// The folder of libtorch's own library, "" where that is not known.
std::string libtorch_folder() {
  const std::string path = libtorch_library();
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

bool is_of(const std::string &path, int major) {
  return path.find(".so." + std::to_string(major)) != std::string::npos;
}

}  // namespace

std::vector<std::string> nvrtc_candidates() {
  if (const char *chosen = std::getenv("SPIKEDHS_NVRTC")) {
    if (chosen[0] != '\0') return {chosen};
  }
  std::vector<std::string> list;
  const std::string folder = libtorch_folder();
  if (!folder.empty()) {
    // site-packages/torch/lib, beside site-packages/nvidia.
    add_matches(folder + "/../../nvidia/cuda_nvrtc/lib/libnvrtc.so*", &list);
    add_matches(folder + "/../../nvidia/cu1*/lib/libnvrtc.so*", &list);
    add_matches(folder + "/libnvrtc*.so*", &list);
  }
  list.insert(list.end(), {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"});
  add_matches("/usr/local/cuda/lib64/libnvrtc.so*", &list);
  const int major = runtime_major();
  std::stable_partition(list.begin(), list.end(), [&](const std::string &path) {
    return major != 0 && is_of(path, major);
  });
  return list;
}

const Nvrtc &Nvrtc::get() {
  struct Found {
    const Nvrtc *nvrtc = nullptr;
    std::string error;
    Found() {
      for (const std::string &path : nvrtc_candidates()) {
        try {
          nvrtc = new Nvrtc(path);
          return;
        } catch (const std::exception &e) {
          // The first is what the user named, or the likeliest.
          if (error.empty()) error = path;
        }
      }
    }
  };
  static const Found found;
  TORCH_CHECK(found.nvrtc != nullptr,
              "NVRTC was not found (first tried: ", found.error,
              "); install the package nvidia-cuda-nvrtc of libtorch's CUDA "
              "version or set SPIKEDHS_NVRTC to its libnvrtc.so");
  return *found.nvrtc;
}

}  // namespace spikedhs
