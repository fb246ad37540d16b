// Threads, random numbers.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include <atomic>
#include <mutex>

#include "accelerator.h"
#ifdef SPIKEDHS_FAKE_DEVICE
#include "../fake/fake.h"
#endif
#include "guard.h"

namespace spikedhs {
namespace {
std::atomic<int> wanted_threads{0};  // 0: libtorch's own choice
thread_local int applied_threads = 0;

at::Generator default_generator(int type, int index) {
  return at::globalContext().defaultGenerator(c10::Device(
      spikedhs::device_type_of(type), static_cast<c10::DeviceIndex>(index)));
}
}  // namespace

void apply_thread_count() {
  const int wanted = wanted_threads.load(std::memory_order_relaxed);
  if (wanted == 0 || wanted == applied_threads) return;
  at::set_num_threads(wanted);
  applied_threads = wanted;
}

}  // namespace spikedhs

using spikedhs::guarded;

char *sd_describe(void) {
  try {
    spikedhs::apply_thread_count();
    return spikedhs::copy_text(at::show_config() + at::get_parallel_info());
  } catch (...) {
    return spikedhs::copy_text("no description");
  }
}

char *sd_set_threads(int n) {
  return guarded([&] {
    TORCH_CHECK(n > 0, "number of threads must be positive, got ", n);
    spikedhs::wanted_threads.store(n, std::memory_order_relaxed);
    spikedhs::apply_thread_count();
  });
}

int sd_threads(void) {
  spikedhs::apply_thread_count();
  return at::get_num_threads();
}

char *sd_seed(uint64_t seed) {
  return guarded([&] {
    at::manual_seed(seed);
#ifdef SPIKEDHS_FAKE_DEVICE
    spikedhs::fake::seed_generators(seed);
#endif
  });
}

char *sd_generator_state(int type, int index, sd_tensor *out) {
  return guarded([&] {
#ifdef SPIKEDHS_FAKE_DEVICE
    if (spikedhs::device_type_of(type) == spikedhs::kAccelerator) {
      *out = spikedhs::wrap(spikedhs::fake::generator_state(index));
      return;
    }
#endif
    at::Generator generator = spikedhs::default_generator(type, index);
    std::lock_guard<std::mutex> lock(generator.mutex());
    *out = spikedhs::wrap(generator.get_state());
  });
}

char *sd_set_generator_state(int type, int index, sd_tensor state) {
  return guarded([&] {
#ifdef SPIKEDHS_FAKE_DEVICE
    if (spikedhs::device_type_of(type) == spikedhs::kAccelerator) {
      spikedhs::fake::set_generator_state(index, spikedhs::unwrap(state));
      return;
    }
#endif
    at::Generator generator = spikedhs::default_generator(type, index);
    std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(spikedhs::unwrap(state));
  });
}
