// Memory of the fake device: the host's, counted for each device, filled with a
// pattern, and able to run out.
#include <ATen/EmptyTensor.h>
#include <c10/core/Allocator.h>
#include <c10/core/DeviceGuard.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <set>

#include "fake.h"

namespace spikedhs::fake {
namespace {

constexpr size_t kAlignment = 512;  // of cudaMalloc's caching allocator
constexpr int kPattern = 0x7f;
constexpr int64_t kContext = int64_t{64} << 20;  // what CUDA itself takes

int64_t number_of_environment(const char *name, int64_t otherwise) {
  const char *text = std::getenv(name);
  return text != nullptr ? std::atoll(text) : otherwise;
}

struct Use {
  std::atomic<int64_t> allocated{0}, peak{0};
};
Use uses[kDevices];
const int64_t total_memory =
    number_of_environment("SPIKEDHS_FAKE_MEMORY", int64_t{16} << 30);
// Allocations until one fails; 0 and below: none does.
std::atomic<int64_t> until_failure{
    number_of_environment("SPIKEDHS_FAKE_FAIL_ALLOCATION", 0)};

struct Block {
  Block(size_t bytes, int device) : bytes(bytes), device(device) {
    data = ::operator new(bytes, std::align_val_t(kAlignment));
    std::memset(data, kPattern, bytes);
    const int64_t now = uses[device].allocated += static_cast<int64_t>(bytes);
    int64_t peak = uses[device].peak;
    while (now > peak && !uses[device].peak.compare_exchange_weak(peak, now)) {
    }
  }
  ~Block() {
    uses[device].allocated -= static_cast<int64_t>(bytes);
    ::operator delete(data, std::align_val_t(kAlignment));
  }
  Block(const Block &) = delete;
  Block &operator=(const Block &) = delete;

  void *data;
  size_t bytes;
  int device;
};

using Owner = std::shared_ptr<Block>;

// An allocator of libtorch's whose memory `make` brings.
struct HostAllocator final : c10::Allocator {
  explicit HostAllocator(c10::DataPtr (*make)(size_t)) : make(make) {}
#if SPIKEDHS_TORCH_AT_LEAST(2, 3)
  c10::DataPtr allocate(size_t bytes) override { return make(bytes); }
  void copy_data(void *to, const void *from, size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }
#else
  c10::DataPtr allocate(size_t bytes) const override { return make(bytes); }
#endif

  c10::DataPtr (*make)(size_t);
};

c10::DataPtr make_device_memory(size_t bytes) {
  const int device = current_device();
  const c10::Device place(c10::kPrivateUse1,
                          static_cast<c10::DeviceIndex>(device));
  if (bytes == 0) return {nullptr, place};
  check_stream_in_capture(device);
  const bool fails = until_failure > 0 && --until_failure == 0;
  const int64_t free = memory_use(device).free;
  TORCH_CHECK_WITH(OutOfMemoryError,
                   !fails && static_cast<int64_t>(bytes) <= free,
                   "CUDA out of memory: tried to allocate ", bytes,
                   " bytes on the fake device, ", free, " are free");
  auto owner = std::make_unique<Owner>(std::make_shared<Block>(bytes, device));
  void *data = (*owner)->data;
  keep_for_capture(*owner, data, bytes);
  return {data, owner.release(),
          [](void *context) { delete static_cast<Owner *>(context); }, place};
}
HostAllocator device_allocator(&make_device_memory);
REGISTER_ALLOCATOR(c10::kPrivateUse1, &device_allocator)

// Page-locked memory: memory of the host that is remembered.
std::mutex pinned_mutex;
std::set<std::pair<const char *, const char *>> pinned_ranges;

struct PinnedRange {
  ~PinnedRange() {
    const std::lock_guard<std::mutex> lock(pinned_mutex);
    pinned_ranges.erase({data, data + bytes});
    ::operator delete(data, std::align_val_t(kAlignment));
  }
  char *data;
  size_t bytes;
};

c10::DataPtr make_pinned_memory(size_t bytes) {
  const size_t room = bytes == 0 ? 1 : bytes;
  auto *range = new PinnedRange{
      static_cast<char *>(::operator new(room, std::align_val_t(kAlignment))),
      room};
  const std::lock_guard<std::mutex> lock(pinned_mutex);
  pinned_ranges.insert({range->data, range->data + room});
  return {range->data, range,
          [](void *context) { delete static_cast<PinnedRange *>(context); },
          c10::Device(c10::kCPU)};
}
HostAllocator pinned_allocator(&make_pinned_memory);

struct OnDevice {
  explicit OnDevice(c10::Device device)
      : guard(c10::Device(
            c10::kPrivateUse1,
            static_cast<c10::DeviceIndex>(
                device.has_index() ? device.index() : current_device()))) {}
  c10::OptionalDeviceGuard guard;
};

}  // namespace

at::Tensor empty(at::IntArrayRef sizes, at::ScalarType type, c10::Device device,
                 c10::MemoryFormat format) {
  const OnDevice on(device);
  return at::detail::empty_generic(
      sizes, &device_allocator,
      c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), type, format);
}

at::Tensor empty_strided(at::IntArrayRef sizes, at::IntArrayRef strides,
                         at::ScalarType type, c10::Device device) {
  const OnDevice on(device);
  return at::detail::empty_strided_generic(
      sizes, strides, &device_allocator,
      c10::DispatchKeySet(c10::DispatchKey::PrivateUse1), type);
}

MemoryUse memory_use(int device) {
  const Use &use = uses[device];
  const int64_t allocated = use.allocated;
  return {allocated, use.peak, total_memory - kContext - allocated,
          total_memory};
}

void reset_peak(int device) {
  uses[device].peak = uses[device].allocated.load();
}

void fail_allocation(int64_t nth) { until_failure = nth; }

at::Tensor empty_pinned(at::IntArrayRef sizes, at::ScalarType type) {
  return at::detail::empty_generic(sizes, &pinned_allocator,
                                   c10::DispatchKeySet(c10::DispatchKey::CPU),
                                   type, c10::MemoryFormat::Contiguous);
}

bool is_pinned(const at::Tensor &t) {
  const auto *data = static_cast<const char *>(t.data_ptr());
  const std::lock_guard<std::mutex> lock(pinned_mutex);
  for (const auto &range : pinned_ranges) {
    if (data >= range.first && data < range.second) return true;
  }
  return false;
}

}  // namespace spikedhs::fake
