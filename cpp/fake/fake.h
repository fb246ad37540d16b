// The fake device: what stands for a GPU in the device tests (make
// test-device).
//
// It is libtorch's PrivateUse1 with memory of the host. Every operator runs on
// the CPU, after a check that its tensors lie on one device, and is counted as
// a GPU would count it: kernel launches, copies from the host, reads back. It
// refuses what a GPU refuses while a graph is being recorded. It has two
// devices.
//
// Settings, from the environment:
//   SPIKEDHS_FAKE_KERNELS=0          as if our own kernels could not be
//   compiled SPIKEDHS_FAKE_CAPABILITY=7.5     compute capability, 9.0 unless
//   set SPIKEDHS_FAKE_MEMORY=BYTES       of each device, 16 GiB unless set
//   SPIKEDHS_FAKE_FAIL_ALLOCATION=N  the N-th allocation of the process fails
//   SPIKEDHS_FAKE_NO_STREAM=1        no stream but the first can be had
//   SPIKEDHS_FAKE_NO_CAPTURE=1       no graph can be recorded
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/DispatchKeySet.h>
#include <c10/core/Stream.h>

#include <functional>
#include <memory>
#include <string>

#include "compat.h"

namespace spikedhs::fake {

constexpr int kDevices = 2;

// Whether our own kernels are there.
bool kernels();

// Runs the emulation of one of our kernels, as one launch of the operator
// `name` on the current device and stream.
void launch(const char *name, const std::function<void()> &emulation);

inline bool on_fake(const at::Tensor &t) {
  return t.defined() && t.device().type() == c10::kPrivateUse1;
}

// A CPU tensor over the memory of a fake one.
at::Tensor host_view(const at::Tensor &t);

// memory.cc: fresh memory is filled with 0x7f, so that reading what was never
// written gives huge numbers (3.4e38 in float32).
at::Tensor empty(at::IntArrayRef sizes, at::ScalarType type, c10::Device device,
                 c10::MemoryFormat format = c10::MemoryFormat::Contiguous);
at::Tensor empty_strided(at::IntArrayRef sizes, at::IntArrayRef strides,
                         at::ScalarType type, c10::Device device);
struct MemoryUse {
  int64_t allocated, peak, free, total;
};
MemoryUse memory_use(int device);
void reset_peak(int device);
void fail_allocation(int64_t nth);  // counted from now on; 0: none
at::Tensor empty_pinned(at::IntArrayRef sizes, at::ScalarType type);
bool is_pinned(const at::Tensor &t);

// device.cc
int current_device();
c10::StreamId current_stream(int device);
c10::StreamId exchange_stream(int device, c10::StreamId id);
void seed_generators(uint64_t seed);
at::Tensor generator_state(int device);
void set_generator_state(int device, const at::Tensor &state);
void capability(int *major, int *minor);
bool setting(const char *name);  // whether the variable is set, and not to 0

// counts.cc
void count_operator(const std::string &name, int64_t launches);
void count_upload(bool blocking);
void count_read(bool blocking);
void count_slow_foreach(const std::string &name);
void count_replay();
void begin_range(const std::string &name);
void end_range();
std::string report();
void reset_counts();

// launches.cc: the number of kernel launches that an operator makes on a GPU,
// -1 where the table does not have it. Arguments and results are those of the
// call.
int64_t launches_of(const std::string &name,
                    at::ArrayRef<c10::IValue> arguments, bool *slow_foreach);
int64_t launches_of_convolution(const at::Tensor &input,
                                const at::Tensor &weight, bool bias);
int64_t launches_of_convolution_backward(const at::Tensor &grad,
                                         const at::Tensor &input,
                                         const at::Tensor &weight,
                                         std::array<bool, 3> wanted);
// The layout in which cuDNN convolves these two.
c10::MemoryFormat convolution_format(const at::Tensor &input,
                                     const at::Tensor &weight);

// capture.cc
struct Graph;
// Does work that may be recorded. `written` are tensors that were there before
// and that it changes.
void perform(std::function<void()> work, at::ArrayRef<at::Tensor> written);
bool is_capturing();
// Ends the recording with an error where one is going on: a GPU does not allow
// this there.
void refuse_in_capture(const char *what);
void check_stream_in_capture(int device);
// Whether memory that is made now belongs to a graph; it then keeps it.
void keep_for_capture(const std::shared_ptr<void> &memory, void *data,
                      size_t bytes);

}  // namespace spikedhs::fake
