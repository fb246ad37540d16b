// The LIF operator on CUDA devices: kernels of lif.cu on the current stream.
#ifdef SPIKEDHS_CUDA_KERNELS

#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "lif_tensors.h"

namespace spikedhs {
namespace {

void check_device(const char *what, const optional<at::Tensor> &t,
                  const at::Tensor &current) {
  TORCH_CHECK(!lif_present(t) || t->device() == current.device(), "lif: the ",
              what, " is on ", t->device(), ", the current on ",
              current.device());
}

void *current_stream(const at::Tensor &t) {
  return c10::cuda::getCurrentCUDAStream(t.device().index()).stream();
}

LifResult lif_cuda(const at::Tensor &current, const at::Tensor &temperature,
                   double tau, double threshold, int64_t steps,
                   const optional<at::Tensor> &membrane, bool keep_membrane,
                   int64_t surrogate, const optional<at::Tensor> &table) {
  const c10::cuda::CUDAGuard device(current.device());
  check_device("membrane state", membrane, current);
  return lif_forward_tensors(
      current, temperature, tau, threshold, steps, membrane, keep_membrane,
      surrogate, table, [&](const auto &p) {
        const char *error = launch_lif_forward(p, current_stream(current));
        TORCH_CHECK(error == nullptr, "lif: CUDA kernel: ", error);
      });
}

LifResult lif_backward_cuda(
    const at::Tensor &grad_spikes, const optional<at::Tensor> &grad_membrane,
    const at::Tensor &current, const at::Tensor &temperature, double tau,
    double threshold, int64_t steps, const optional<at::Tensor> &membrane,
    int64_t surrogate, const optional<at::Tensor> &table) {
  const c10::cuda::CUDAGuard device(current.device());
  check_device("gradient of the spikes", grad_spikes, current);
  check_device("gradient of the membrane", grad_membrane, current);
  check_device("membrane state", membrane, current);
  return lif_backward_tensors(
      grad_spikes, grad_membrane, current, temperature, tau, threshold, steps,
      membrane, surrogate, table, [&](const auto &p) {
        const char *error = launch_lif_backward(p, current_stream(current));
        TORCH_CHECK(error == nullptr, "lif_backward: CUDA kernel: ", error);
      });
}

}  // namespace
}  // namespace spikedhs

TORCH_LIBRARY_IMPL(spikedhs, CUDA, library) {
  library.impl("lif", &spikedhs::lif_cuda);
  library.impl("lif_backward", &spikedhs::lif_backward_cuda);
}

#endif  // SPIKEDHS_CUDA_KERNELS
