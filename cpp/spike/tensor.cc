// Tensor handles: creation from host memory, copies back, counting, freeing.
#include <ATen/ATen.h>

#include <atomic>

#include "accelerator.h"
#ifdef SPIKEDHS_FAKE_DEVICE
#include "../fake/fake.h"
#endif
#include "guard.h"

namespace spikedhs {
namespace {

std::atomic<int64_t> live_handles{0};

at::Tensor empty_on_host(at::IntArrayRef shape, at::ScalarType type,
                         bool pinned) {
#ifdef SPIKEDHS_FAKE_DEVICE
  if (pinned) return fake::empty_pinned(shape, type);
#endif
  return at::empty(shape, at::dtype(type).pinned_memory(pinned));
}

}  // namespace

sd_tensor wrap(at::Tensor tensor) {
  auto *handle = new at::Tensor(std::move(tensor));
  live_handles.fetch_add(1, std::memory_order_relaxed);
  return handle;
}

at::Tensor &unwrap(sd_tensor handle) {
  TORCH_CHECK(handle != nullptr, kEmptyHandle);
  return *static_cast<at::Tensor *>(handle);
}

}  // namespace spikedhs

using spikedhs::guarded;
using spikedhs::unwrap;
using spikedhs::wrap;

void sd_release(void *memory) { std::free(memory); }

char *sd_tensor_from_host(const void *data, int64_t bytes, int dtype,
                          const int64_t *shape, int64_t dims, int pinned,
                          sd_tensor *out) {
  return guarded([&] {
    at::Tensor t = spikedhs::empty_on_host(at::IntArrayRef(shape, dims),
                                           static_cast<at::ScalarType>(dtype),
                                           pinned != 0);
    TORCH_CHECK(static_cast<int64_t>(t.nbytes()) == bytes, "shape ", t.sizes(),
                " needs ", t.nbytes(), " bytes, got ", bytes);
    if (bytes > 0) std::memcpy(t.data_ptr(), data, bytes);
    *out = wrap(std::move(t));
  });
}

char *sd_tensor_to_host(sd_tensor t, void *data, int64_t bytes) {
  return guarded([&] {
    at::Tensor host = unwrap(t).detach().to(at::kCPU).contiguous();
    TORCH_CHECK(static_cast<int64_t>(host.nbytes()) == bytes, "tensor of ",
                host.nbytes(), " bytes copied into ", bytes);
    if (bytes > 0) std::memcpy(data, host.data_ptr(), bytes);
  });
}

void sd_tensor_free(sd_tensor t) {
  if (t == nullptr) return;
  delete static_cast<at::Tensor *>(t);
  spikedhs::live_handles.fetch_sub(1, std::memory_order_relaxed);
}

void sd_tensor_adopt(sd_tensor t) {
  if (t != nullptr) {
    spikedhs::live_handles.fetch_add(1, std::memory_order_relaxed);
  }
}

char *sd_tensor_alias(sd_tensor t, sd_tensor *out) {
  return guarded([&] { *out = wrap(unwrap(t)); });
}

int64_t sd_tensor_live(void) {
  return spikedhs::live_handles.load(std::memory_order_relaxed);
}

char *sd_tensor_shape(sd_tensor t, int64_t *shape, int64_t cap, int64_t *dims) {
  return guarded([&] {
    const at::Tensor &tensor = unwrap(t);
    *dims = tensor.dim();
    for (int64_t i = 0; i < *dims && i < cap; i++) shape[i] = tensor.size(i);
  });
}

char *sd_tensor_dtype(sd_tensor t, int *dtype) {
  return guarded([&] { *dtype = static_cast<int>(unwrap(t).scalar_type()); });
}

char *sd_tensor_device(sd_tensor t, int *type, int *index) {
  return guarded([&] {
    const at::Device device = unwrap(t).device();
    *type = spikedhs::number_of(device.type());
    *index = device.index();
  });
}

void sd_device_numbers(const void *device, int *type, int *index) {
  const auto *d = static_cast<const c10::Device *>(device);
  *type = spikedhs::number_of(d->type());
  *index = d->index();
}
