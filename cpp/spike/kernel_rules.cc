// Which of its kernels libtorch may choose on CUDA devices.
#include <ATen/Context.h>

#include "compat.h"
#include "guard.h"

using spikedhs::guarded;

char *sd_set_kernel_rules(int benchmark, int convolution_tf32, int product_tf32,
                          int deterministic) {
  return guarded([&] {
    at::Context &context = at::globalContext();
    context.setBenchmarkCuDNN(benchmark != 0);
    context.setAllowTF32CuDNN(convolution_tf32 != 0);
    context.setAllowTF32CuBLAS(product_tf32 != 0);
    context.setDeterministicCuDNN(deterministic != 0);
    context.setDeterministicAlgorithms(deterministic != 0, /*warn_only=*/false);
#if SPIKEDHS_TORCH_AT_LEAST(2, 2)
    // Filling fresh memory shows mistakes; it changes no result, and is a
    // launch for each tensor.
    context.setDeterministicFillUninitializedMemory(false);
#endif
  });
}

char *sd_kernel_rules(int *benchmark, int *convolution_tf32, int *product_tf32,
                      int *deterministic) {
  return guarded([&] {
    const at::Context &context = at::globalContext();
    *benchmark = context.benchmarkCuDNN() ? 1 : 0;
    *convolution_tf32 = context.allowTF32CuDNN() ? 1 : 0;
    *product_tf32 = context.allowTF32CuBLAS() ? 1 : 0;
    *deterministic =
        context.deterministicCuDNN() && context.deterministicAlgorithms() ? 1
                                                                          : 0;
  });
}
