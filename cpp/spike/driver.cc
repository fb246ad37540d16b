#include "driver.h"

#include <c10/util/Exception.h>
#include <dlfcn.h>

#include <memory>
#include <type_traits>

namespace spikedhs {
namespace {
void *open_driver() { return dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL); }
}  // namespace

Driver::Driver() {
  void *library = open_driver();
  TORCH_CHECK(library != nullptr, "no NVIDIA driver: ", dlerror());
  const auto find = [&](auto *function, const char *name) {
    void *symbol = dlsym(library, name);
    TORCH_CHECK(symbol != nullptr, "the NVIDIA driver has no ", name);
    *function = reinterpret_cast<std::decay_t<decltype(*function)>>(symbol);
  };
  find(&device, "cuDeviceGet");
  find(&name, "cuDeviceGetName");
  find(&attribute, "cuDeviceGetAttribute");
  find(&retain, "cuDevicePrimaryCtxRetain");
  find(&push, "cuCtxPushCurrent_v2");
  find(&pop, "cuCtxPopCurrent_v2");
  find(&load, "cuModuleLoadData");
  find(&function, "cuModuleGetFunction");
  find(&launch, "cuLaunchKernel");
  find(&capturing, "cuStreamIsCapturing");
  find(&error_text, "cuGetErrorString");
  int (*start)(unsigned);
  find(&start, "cuInit");
  check(start(0), "start");
}

void Driver::check(int result, const char *what) const {
  if (result == 0) return;
  const char *text = nullptr;
  if (error_text(result, &text) != 0 || text == nullptr) text = "unknown error";
  TORCH_CHECK(false, "CUDA driver: ", what, ": ", text);
}

const Driver &Driver::get() {
  static const std::unique_ptr<const Driver> driver(new Driver);
  return *driver;
}

int Driver::newest_cuda() {
  void *library = open_driver();
  void *symbol =
      library != nullptr ? dlsym(library, "cuDriverGetVersion") : nullptr;
  int version = 0;
  if (symbol == nullptr ||
      reinterpret_cast<int (*)(int *)>(symbol)(&version) != 0) {
    return 0;
  }
  return version;
}

}  // namespace spikedhs
