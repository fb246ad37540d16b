// Devices, streams and random numbers of the fake device.
#include <ATen/ops/empty.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "fake.h"

namespace spikedhs::fake {
namespace {

thread_local int this_device = 0;

// A thread that never chose a stream has that which was chosen last: libtorch
// 1.13 tells the threads of its backward pass the stream of CUDA devices alone.
constexpr c10::StreamId kNotChosen = -1;
thread_local c10::StreamId chosen_here[kDevices] = {kNotChosen, kNotChosen};
std::atomic<c10::StreamId> chosen_last[kDevices];

struct GuardImpl final : c10::impl::DeviceGuardImplInterface {
  static constexpr c10::DeviceType static_type = c10::kPrivateUse1;

  c10::DeviceType type() const override { return static_type; }
  c10::Device exchangeDevice(c10::Device device) const override {
    const c10::Device before = getDevice();
    setDevice(device);
    return before;
  }
  c10::Device getDevice() const override {
    return c10::Device(static_type, static_cast<c10::DeviceIndex>(this_device));
  }
  void setDevice(c10::Device device) const override {
    TORCH_CHECK(device.index() < kDevices, "the fake device has ", kDevices,
                " devices, there is no ", device);
    uncheckedSetDevice(device);
  }
  void uncheckedSetDevice(c10::Device device) const noexcept override {
    if (device.has_index()) this_device = device.index();
  }
  c10::Stream getStream(c10::Device device) const noexcept override {
    const int index = device.has_index() ? device.index() : this_device;
    return c10::Stream(
        c10::Stream::UNSAFE,
        c10::Device(static_type, static_cast<c10::DeviceIndex>(index)),
        current_stream(index));
  }
  c10::Stream getDefaultStream(c10::Device device) const override {
    return c10::Stream(c10::Stream::DEFAULT, device);
  }
  c10::Stream exchangeStream(c10::Stream stream) const noexcept override {
    const c10::Stream before = getStream(stream.device());
    exchange_stream(stream.device_index(), stream.id());
    return before;
  }
  c10::DeviceIndex deviceCount() const noexcept override { return kDevices; }

  // Work is done when it is asked for, so there is nothing to wait for.
  void record(void **event, const c10::Stream &, const c10::DeviceIndex,
              const c10::EventFlag) const override {
    static int happened;
    *event = &happened;
  }
  void block(void *, const c10::Stream &) const override {}
  bool queryEvent(void *) const override { return true; }
  void destroyEvent(void *, const c10::DeviceIndex) const noexcept override {}
  bool queryStream(const c10::Stream &) const override { return true; }
  void synchronizeStream(const c10::Stream &) const override {
    refuse_in_capture("waiting for a stream");
  }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, GuardImpl)

}  // namespace

int current_device() { return this_device; }

c10::StreamId current_stream(int device) {
  const c10::StreamId here = chosen_here[device];
  return here == kNotChosen ? chosen_last[device].load() : here;
}

c10::StreamId exchange_stream(int device, c10::StreamId id) {
  const c10::StreamId before = current_stream(device);
  chosen_here[device] = id;
  chosen_last[device] = id;
  return before;
}

namespace {
// The state of CUDA's generator: 16 bytes, seed and offset, where that of the
// CPU's has 5,056. Nothing in this project draws on a device.
struct Generator {
  uint64_t seed = 0, offset = 0;
};
Generator generators[kDevices];
}  // namespace

void seed_generators(uint64_t seed) {
  for (Generator &g : generators) g = {seed, 0};
}

at::Tensor generator_state(int device) {
  at::Tensor state = at::empty({sizeof(Generator)}, at::kByte);
  const Generator &g = generators[device < 0 ? this_device : device];
  std::memcpy(state.data_ptr(), &g, sizeof g);
  return state;
}

void set_generator_state(int device, const at::Tensor &state) {
  TORCH_CHECK(state.device().is_cpu() && state.scalar_type() == at::kByte &&
                  state.numel() == sizeof(Generator),
              "RNG state is wrong size");
  Generator &g = generators[device < 0 ? this_device : device];
  std::memcpy(&g, state.contiguous().data_ptr(), sizeof g);
}

void capability(int *major, int *minor) {
  *major = 9, *minor = 0;
  const char *text = std::getenv("SPIKEDHS_FAKE_CAPABILITY");
  if (text == nullptr) return;
  const char *point = std::strchr(text, '.');
  *major = std::atoi(text);
  *minor = point != nullptr ? std::atoi(point + 1) : 0;
}

bool setting(const char *name) {
  const char *text = std::getenv(name);
  return text != nullptr && std::strcmp(text, "0") != 0;
}

bool kernels() {
  const char *text = std::getenv("SPIKEDHS_FAKE_KERNELS");
  return text == nullptr || std::strcmp(text, "0") != 0;
}

}  // namespace spikedhs::fake
