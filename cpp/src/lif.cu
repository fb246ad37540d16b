// CUDA kernels of the LIF scan: one launch for all T steps.
//
// Compiled by nvcc without a header of libtorch; lif_cuda.cc hands over raw
// pointers and the stream. What a thread does is in lif_thread.h.
#include <cuda_runtime.h>

#include "lif_launch.h"

namespace spikedhs {
namespace {

template <int kSteps, int kLanes, typename Scalar, typename Real>
__global__ void __launch_bounds__(kLifThreads)
    forward_kernel(const LifForward<Scalar, Real> p) {
  const int64_t first =
      (static_cast<int64_t>(blockIdx.x) * kLifThreads + threadIdx.x) * kLanes;
  if (first < p.neurons) lif_forward_thread<kSteps, kLanes>(p, first);
}

template <bool kDspike, int kSteps, bool kExact, int kLanes, typename Scalar,
          typename Real>
__global__ void __launch_bounds__(kLifThreads)
    backward_kernel(const LifBackward<Scalar, Real> p, const bool with_table) {
  // Raw bytes, since the type differs from one instance to the next.
  extern __shared__ __align__(16) unsigned char shared[];
  Real *table = with_table ? reinterpret_cast<Real *>(shared) : nullptr;
  if (with_table) {
    lif_fill_table<kDspike>(p, table, static_cast<int>(threadIdx.x),
                            kLifThreads);
    __syncthreads();
  }
  const int64_t first =
      (static_cast<int64_t>(blockIdx.x) * kLifThreads + threadIdx.x) * kLanes;
  if (first < p.neurons) {
    lif_backward_thread<kDspike, kSteps, kExact, kLanes>(p, table, first);
  }
}

unsigned int blocks(int64_t neurons, int lanes) {
  const int64_t each = static_cast<int64_t>(kLifThreads) * lanes;
  return static_cast<unsigned int>((neurons + each - 1) / each);
}

struct Launch {
  cudaStream_t stream;

  template <int kSteps, int kLanes, typename Scalar, typename Real>
  void forward(const LifForward<Scalar, Real> &p) const {
    forward_kernel<kSteps, kLanes>
        <<<blocks(p.neurons, kLanes), kLifThreads, 0, stream>>>(p);
  }

  template <int kSteps, bool kExact, int kLanes, typename Scalar, typename Real>
  void backward(const LifBackward<Scalar, Real> &p) const {
    if (p.family == Family::kDspike) {
      run<true, kSteps, kExact, kLanes>(p);
    } else {
      run<false, kSteps, kExact, kLanes>(p);
    }
  }

  template <bool kDspike, int kSteps, bool kExact, int kLanes, typename Scalar,
            typename Real>
  void run(const LifBackward<Scalar, Real> &p) const {
    const bool with_table = lif_wants_table<kLanes>(p);
    const size_t bytes = with_table ? 2 * p.channels * sizeof(Real) : 0;
    backward_kernel<kDspike, kSteps, kExact, kLanes>
        <<<blocks(p.neurons, kLanes), kLifThreads, bytes, stream>>>(p,
                                                                    with_table);
  }
};

const char *launch_error() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

template <typename Scalar, typename Real>
const char *forward(const LifForward<Scalar, Real> &p, void *stream) {
  lif_choose_forward(p, Launch{static_cast<cudaStream_t>(stream)});
  return launch_error();
}

template <typename Scalar, typename Real>
const char *backward(const LifBackward<Scalar, Real> &p, void *stream) {
  lif_choose_backward(p, Launch{static_cast<cudaStream_t>(stream)});
  return launch_error();
}

}  // namespace

const char *launch_lif_forward(const LifForward<float, float> &p,
                               void *stream) {
  return forward(p, stream);
}
const char *launch_lif_forward(const LifForward<double, double> &p,
                               void *stream) {
  return forward(p, stream);
}
const char *launch_lif_forward(const LifForward<Bf16, float> &p, void *stream) {
  return forward(p, stream);
}
const char *launch_lif_backward(const LifBackward<float, float> &p,
                                void *stream) {
  return backward(p, stream);
}
const char *launch_lif_backward(const LifBackward<double, double> &p,
                                void *stream) {
  return backward(p, stream);
}
const char *launch_lif_backward(const LifBackward<Bf16, float> &p,
                                void *stream) {
  return backward(p, stream);
}

}  // namespace spikedhs
