#include "launch.h"

#include <c10/util/Exception.h>

#ifdef SPIKEDHS_CUDA
#include <c10/cuda/CUDAStream.h>

#include <mutex>
#include <unordered_map>

#include "driver.h"
#include "guard.h"
#include "instance_names.h"
#include "kernel_cache.h"

namespace spikedhs {
namespace {

// What is known of one device. Modules belong to the context that libtorch uses
// there, and are never unloaded.
struct DeviceKernels {
  std::mutex mutex;
  bool started = false;
  std::string missing;  // why there are no kernels, "" if there are
  Driver::Context context = nullptr;
  std::string architecture;
  std::unordered_map<std::string, Driver::Function> functions;
};

DeviceKernels &kernels_of(c10::Device device) {
  constexpr int kMaxDevices =
      128;  // the most that an index of libtorch's holds
  static DeviceKernels list[kMaxDevices];
  TORCH_CHECK(device.index() >= 0, "a CUDA device needs an index");
  return list[device.index()];
}

// The context made the current one of the calling thread, which may be one of
// autograd's.
class InContext {
 public:
  InContext(const Driver &driver, Driver::Context context) : driver_(driver) {
    driver.check(driver.push(context), "context");
  }
  ~InContext() {
    Driver::Context context;
    driver_.pop(&context);
  }
  InContext(const InContext &) = delete;
  InContext &operator=(const InContext &) = delete;

 private:
  const Driver &driver_;
};

Driver::Stream stream_of(c10::Device device) {
  return c10::cuda::getCurrentCUDAStream(device.index()).stream();
}

// Loading a module would spoil a recording. The error ends it; steps are then
// done one by one, which compiles what they need.
void refuse_while_recording(const Driver &driver, Driver::Context context,
                            c10::Device device, const std::string &name) {
  const InContext in(driver, context);
  int recording = 0;
  driver.check(driver.capturing(stream_of(device), &recording), "stream");
  TORCH_CHECK(recording == 0, name,
              " was not compiled before the recording of a graph");
}

// Compiles or finds, and loads. The caller holds the mutex.
Driver::Function load(DeviceKernels *kernels, const Instance &instance) {
  const Driver &driver = Driver::get();
  const Kernel kernel = cached_kernel(Nvrtc::get(), instance.program,
                                      instance.name, kernels->architecture);
  const InContext in(driver, kernels->context);
  Driver::Module module = nullptr;
  Driver::Function function = nullptr;
  const char *name = instance.name.c_str();
  driver.check(driver.load(&module, kernel.image.data()), name);
  driver.check(driver.function(&function, module, kernel.lowered.c_str()),
               name);
  kernels->functions.emplace(instance.name, function);
  return function;
}

void give_up(DeviceKernels *kernels, const std::exception &e) {
  kernels->missing = message_of(e);
  static std::once_flag warned;
  std::call_once(warned, [&] {
    TORCH_WARN("no CUDA kernels, composed operators take over: ",
               kernels->missing);
  });
}

// The caller holds the mutex.
void start(DeviceKernels *kernels, c10::Device device) {
  constexpr int kMajor = 75, kMinor = 76;     // CU_DEVICE_ATTRIBUTE_COMPUTE_...
  const Instance first = augment_instance();  // the smallest
  if (kernels->started) return;
  const Driver *driver = nullptr;
  try {
    driver = &Driver::get();
  } catch (const std::exception &e) {
    kernels->started = true;
    return give_up(kernels, e);
  }
  int handle = 0, major = 0, minor = 0;
  driver->check(driver->device(&handle, device.index()), "device");
  if (kernels->context == nullptr) {
    driver->check(driver->retain(&kernels->context, handle), "context");
  }
  refuse_while_recording(*driver, kernels->context, device, first.name);
  kernels->started = true;
  try {
    driver->check(driver->attribute(&major, kMajor, handle), "capability");
    driver->check(driver->attribute(&minor, kMinor, handle), "capability");
    kernels->architecture = Nvrtc::get().architecture(10 * major + minor);
    load(kernels, first);
  } catch (const std::exception &e) {
    give_up(kernels, e);
  }
}

}  // namespace

std::string kernels_missing(c10::Device device) {
  DeviceKernels &kernels = kernels_of(device);
  const std::lock_guard<std::mutex> lock(kernels.mutex);
  start(&kernels, device);
  return kernels.missing;
}

bool launch_kernel(c10::Device device, const char *name,
                   const Instance &instance, const Grid &grid,
                   void *arguments) {
  DeviceKernels &kernels = kernels_of(device);
  Driver::Function function = nullptr;
  {
    const std::lock_guard<std::mutex> lock(kernels.mutex);
    start(&kernels, device);
    if (!kernels.missing.empty()) return false;
    const auto found = kernels.functions.find(instance.name);
    if (found != kernels.functions.end()) {
      function = found->second;
    } else {
      refuse_while_recording(Driver::get(), kernels.context, device,
                             instance.name);
      try {
        function = load(&kernels, instance);
      } catch (const std::exception &e) {
        give_up(&kernels, e);
        return false;
      }
    }
  }
  const Driver &driver = Driver::get();
  const InContext in(driver, kernels.context);
  driver.check(driver.launch(function, static_cast<unsigned>(grid.blocks), 1, 1,
                             static_cast<unsigned>(grid.threads), 1, 1,
                             static_cast<unsigned>(grid.shared),
                             stream_of(device), &arguments, nullptr),
               name);
  return true;
}

}  // namespace spikedhs

#else

namespace spikedhs {

std::string kernels_missing(c10::Device) {
#ifdef SPIKEDHS_FAKE_DEVICE
  return fake::kernels() ? "" : "switched off by SPIKEDHS_FAKE_KERNELS";
#else
  return "built without CUDA";
#endif
}

#ifndef SPIKEDHS_FAKE_DEVICE  // which runs emulations
bool launch_kernel(c10::Device, const char *, const Instance &, const Grid &,
                   void *) {
  return false;
}
#endif

}  // namespace spikedhs

#endif  // SPIKEDHS_CUDA

namespace spikedhs {

bool kernels_ready(c10::Device device) {
  return kernels_missing(device).empty();
}

}  // namespace spikedhs
