// C interface of libspikedhs: the thin layer between Go and libtorch.
//
// Conventions
//   - A function that can fail returns a message, or NULL when it succeeded.
//     The message comes from the same call because Go may run the next call on
//     another OS thread. Free it with sd_release.
//   - sd_tensor is a pointer to an at::Tensor on the heap, the same handle that
//     libcgotorch uses, so tensors pass between both libraries without a copy.
//   - libtorch's thread-local settings (gradient mode, number of threads) are
//     set inside the call that needs them and never outlive it.
//   - No exception leaves this library.
#ifndef SPIKEDHS_SPIKEDHS_H_
#define SPIKEDHS_SPIKEDHS_H_

#include <stddef.h>
#include <stdint.h>

#if defined(SPIKEDHS_BUILD)
#define SPIKEDHS_API __attribute__((visibility("default")))
#else
#define SPIKEDHS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef void *sd_tensor;
typedef void *sd_operator;
typedef void *sd_module;
typedef void *sd_stream;
typedef void *sd_graph;

// Memory
// -----------------------------------------------------------------------

// Frees a message or an array that this library returned.
SPIKEDHS_API void sd_release(void *memory);

// Tensors
// ----------------------------------------------------------------------

// Element types, with libtorch's own numbers.
enum {
  SD_UINT8 = 0,
  SD_INT32 = 3,
  SD_INT64 = 4,
  SD_FLOAT16 = 5,
  SD_FLOAT32 = 6,
  SD_FLOAT64 = 7,
  SD_BOOL = 11,
  SD_BFLOAT16 = 15
};

// Copies `bytes` bytes of host memory into a new CPU tensor, where `pinned` is
// not 0 in page-locked memory, from which a CUDA device copies without making
// the caller wait; that needs a CUDA device.
SPIKEDHS_API char *sd_tensor_from_host(const void *data, int64_t bytes,
                                       int dtype, const int64_t *shape,
                                       int64_t dims, int pinned,
                                       sd_tensor *out);

// Copies a tensor of any device and layout to host memory in C order.
SPIKEDHS_API char *sd_tensor_to_host(sd_tensor t, void *data, int64_t bytes);

// Drops one handle; the memory goes when the last handle and graph node does.
SPIKEDHS_API void sd_tensor_free(sd_tensor t);

// Counts a handle that libcgotorch made and this library will free.
SPIKEDHS_API void sd_tensor_adopt(sd_tensor t);

// A second handle of the same tensor.
SPIKEDHS_API char *sd_tensor_alias(sd_tensor t, sd_tensor *out);

// Handles that are alive, over all threads.
SPIKEDHS_API int64_t sd_tensor_live(void);

// Writes at most `cap` sizes and the number of dimensions.
SPIKEDHS_API char *sd_tensor_shape(sd_tensor t, int64_t *shape, int64_t cap,
                                   int64_t *dims);
SPIKEDHS_API char *sd_tensor_dtype(sd_tensor t, int *dtype);
// Device type (0 CPU, 1 CUDA) and index (-1: none).
SPIKEDHS_API char *sd_tensor_device(sd_tensor t, int *type, int *index);
// The same numbers of a device object that libcgotorch made.
SPIKEDHS_API void sd_device_numbers(const void *device, int *type, int *index);

// Operators
// --------------------------------------------------------------------

// Tags of the flat argument encoding: a tag word, then its payload words.
enum {
  SD_NONE = 0,         // -
  SD_TENSOR = 1,       // handle (0: undefined tensor)
  SD_INT = 2,          // int64 bits
  SD_DOUBLE = 3,       // IEEE bits
  SD_BOOL_VALUE = 4,   // 0 or 1
  SD_INT_LIST = 5,     // n, then n words
  SD_DOUBLE_LIST = 6,  // n, then n words
  SD_BOOL_LIST = 7,    // n, then n words
  SD_TENSOR_LIST = 8,  // n, then n handles (0: none)
  SD_STRING = 9,       // bytes, then ceil(bytes/8) words
  SD_DEVICE = 10,      // type, index
  SD_NAME = 11         // like SD_STRING: the next value is this named argument
};

// Finds an operator by its schema name ("aten::conv2d") and overload ("").
// The handle is valid for the life of the process.
SPIKEDHS_API char *sd_operator_find(const char *name, const char *overload,
                                    sd_operator *out);

// Calls an operator with encoded arguments; trailing ones take the schema's
// defaults. Results come back in the same encoding in an array to release.
SPIKEDHS_API char *sd_operator_call(sd_operator op, const uint64_t *args,
                                    int64_t words, int record_gradient,
                                    uint64_t **results, int64_t *result_words);

// Autograd
// ---------------------------------------------------------------------

SPIKEDHS_API char *sd_require_grad(sd_tensor t, int on);
SPIKEDHS_API char *sd_backward(sd_tensor loss);
// The accumulated gradient, or NULL in *out when there is none.
SPIKEDHS_API char *sd_grad(sd_tensor t, sd_tensor *out);
SPIKEDHS_API char *sd_clear_grad(sd_tensor t);
// Gradients of sum(grad * output) for the n inputs only (no other gradient is
// formed); grads[i] is NULL where an input has no influence. What the graph
// keeps stays there when `retain` is not 0. An output that depends on nothing
// that requires a gradient gives none; without `grad` (NULL) it is a loss, one
// number that must depend on something.
SPIKEDHS_API char *sd_grad_of(sd_tensor output, sd_tensor grad,
                              const uint64_t *inputs, int64_t n, int retain,
                              uint64_t *grads);

// Runtime
// ----------------------------------------------------------------------

// The libtorch that is loaded: its version, and the file of its main library.
SPIKEDHS_API const char *sd_torch_version(void);
SPIKEDHS_API const char *sd_torch_library(void);
// The libtorch that this library was built against: its version, and how the
// build found it.
SPIKEDHS_API const char *sd_build_version(void);
SPIKEDHS_API const char *sd_build_found_by(void);
// libtorch's own description of its build and threads; to release.
SPIKEDHS_API char *sd_describe(void);

// Threads of one operator; holds for calls from every OS thread.
SPIKEDHS_API char *sd_set_threads(int n);
SPIKEDHS_API int sd_threads(void);

// 1 when libtorch was built with CUDA, whether or not a device is present.
SPIKEDHS_API int sd_cuda_built(void);
SPIKEDHS_API int sd_cuda_devices(void);
// Waits for the current stream of a device; nothing to do without CUDA.
SPIKEDHS_API char *sd_cuda_synchronize(int index);
// The versions of what CUDA consists of, 0 where a part is missing: the runtime
// that libtorch was built with and the newest that the NVIDIA driver knows
// (12080 is 12.8), NVRTC (1208), and cuDNN in its own form (8902 is 8.9.2,
// 90701 is 9.7.1). Texts to release: what keeps the driver from starting, "" if
// nothing, and NVRTC's file.
SPIKEDHS_API char *sd_cuda_versions(int *runtime, int *driver, int *nvrtc,
                                    int *cudnn, char **driver_error,
                                    char **nvrtc_path);
// The product's name; to release.
SPIKEDHS_API char *sd_cuda_name(int index, char **name);
// Compute capability, such as 9 and 0; zeros where it cannot be asked.
SPIKEDHS_API void sd_cuda_capability(int index, int *major, int *minor);
// Bytes: held by tensors now, the most since sd_cuda_reset_peak, free on the
// device, and all that the device has. Zeros where this library lacks CUDA.
SPIKEDHS_API char *sd_cuda_memory(int index, int64_t *allocated, int64_t *peak,
                                  int64_t *free_bytes, int64_t *total);
SPIKEDHS_API char *sd_cuda_reset_peak(int index);

// Which kernels libtorch may choose on CUDA devices: those that cuDNN found
// fastest in a trial, those in TF32 for convolutions and for matrix products,
// and only those that give the same bits each time. They hold for the process,
// and are kept where there is no CUDA.
SPIKEDHS_API char *sd_set_kernel_rules(int benchmark, int convolution_tf32,
                                       int product_tf32, int deterministic);
SPIKEDHS_API char *sd_kernel_rules(int *benchmark, int *convolution_tf32,
                                   int *product_tf32, int *deterministic);

SPIKEDHS_API char *sd_seed(uint64_t seed);
// State of a device's default generator (device type 0 CPU, 1 CUDA).
SPIKEDHS_API char *sd_generator_state(int type, int index, sd_tensor *out);
SPIKEDHS_API char *sd_set_generator_state(int type, int index, sd_tensor state);

// CUDA kernels
// ------------------------------------------------------------------

// Why this library's own kernels cannot run on a CUDA device, "" when they can;
// to release. Asked for the first time it compiles a small one.
SPIKEDHS_API char *sd_kernels_missing(int index, char **reason);
// The folder in which compiled kernels are kept, "" without one; to release.
SPIKEDHS_API char *sd_kernels_folder(void);
// Compiles kernels by the NVRTC in a file (NULL: the one in use) for a compute
// capability such as 90; needs no GPU. `steps` and `families` are the values of
// T and the surrogate families for which the LIF kernels are compiled,
// `elements` the types (0 float32, 1 float64, 2 bfloat16, 3 float16). The table
// to release has lines "program <tab> kernel <tab> registers <tab> bytes
// spilled" and, for each program, "program <tab> <tab> milliseconds <tab>
// kernels".
SPIKEDHS_API char *sd_kernels_compile(const char *nvrtc, int capability,
                                      const int *steps, int steps_count,
                                      const int *families, int families_count,
                                      const int *elements, int elements_count,
                                      char **table);
// One kernel through the cache in use, for tests: the size of what the driver
// would load, and its name there, to release.
SPIKEDHS_API char *sd_kernels_cached(int capability, int64_t *bytes,
                                     char **name);

// CUDA graphs
// -------------------------------------------------------------------

// Gives the calling OS thread a CUDA stream of its own, which a capture needs,
// until sd_stream_leave on the same thread. Both wait for the work before them.
SPIKEDHS_API char *sd_stream_enter(int index, sd_stream *out);
SPIKEDHS_API char *sd_stream_leave(sd_stream stream);

// From begin to end the calling thread's stream records its work instead of
// doing it. The memory of what is made meanwhile belongs to the graph, also
// after its tensors were freed. `share` (or NULL) is a graph whose memory is
// used again: no tensor made in one may be needed after the other has run. A
// graph whose end failed is gone; one that is not wanted any more during the
// capture is given up by sd_graph_abandon.
SPIKEDHS_API char *sd_graph_begin(int index, sd_graph share, sd_graph *out);
SPIKEDHS_API char *sd_graph_end(sd_graph graph);
SPIKEDHS_API void sd_graph_abandon(sd_graph graph);
// Does the recorded work once, on the same memory.
SPIKEDHS_API char *sd_graph_replay(sd_graph graph);
SPIKEDHS_API void sd_graph_free(sd_graph graph);

// Profile
// ----------------------------------------------------------------------

// Collects the time of every operator, backward included, until stopped;
// operators with other argument shapes are apart when `shapes` is not 0. With a
// CUDA `device` (else -1) that on its streams too; that work must have ended
// before the stop. The table to release has lines "name <tab> calls <tab>
// nanoseconds of its own <tab> those on the device".
SPIKEDHS_API char *sd_profile_start(int shapes, int device);
// Names what the calling thread does until the next sd_range_end, for whoever
// listens to libtorch's profiler. Ranges may lie in each other.
SPIKEDHS_API void sd_range_begin(const char *name);
SPIKEDHS_API void sd_range_end(void);
SPIKEDHS_API char *sd_profile_stop(char **table);

// TorchScript
// ------------------------------------------------------------------

// Compiles `source` (methods of one module) over named buffers and saves it,
// with text files beside the code in the archive. Tensors of any device and
// layout are stored as CPU tensors in C order.
SPIKEDHS_API char *sd_script_save(const char *path, const char *class_name,
                                  const char *source, const char *const *names,
                                  const uint64_t *tensors, int64_t n,
                                  const char *const *extra_names,
                                  const char *const *extra_texts,
                                  int64_t extras);
SPIKEDHS_API char *sd_script_load(const char *path, int type, int index,
                                  int freeze, sd_module *out);
// The text of one extra file of an archive ("" when it is absent); to release.
SPIKEDHS_API char *sd_script_extra(const char *path, const char *name,
                                   char **text);
// A new handle of the module's attribute `name`, which must be a tensor. A
// frozen module has none.
SPIKEDHS_API char *sd_script_tensor(sd_module module, const char *name,
                                    sd_tensor *out);
SPIKEDHS_API char *sd_script_call(sd_module module, const char *method,
                                  const uint64_t *inputs, int64_t n,
                                  sd_tensor *out);
SPIKEDHS_API void sd_script_free(sd_module module);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // SPIKEDHS_SPIKEDHS_H_
