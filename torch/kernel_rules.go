package torch

// #include "spikedhs/spikedhs.h"
import "C"

import (
	"fmt"
	"os"
)

// KernelRules say which of its kernels libtorch may choose on CUDA devices. They hold
// for the whole process; on the CPU only Deterministic means something, and there
// everything that this project uses is deterministic anyway.
type KernelRules struct {
	// Benchmark lets cuDNN try its algorithms at the first convolution of each shape
	// and take the fastest. Which that is may differ from run to run.
	Benchmark bool
	// ConvolutionTF32 and ProductTF32 let GPUs from compute capability 8 on compute
	// float32 convolutions and matrix products with 10 bits of mantissa.
	ConvolutionTF32, ProductTF32 bool
	// Deterministic refuses what does not give the same bits each time: libtorch then
	// takes a deterministic kernel, or fails with the operator's name where it has none.
	Deterministic bool
}

// Kernels are the rules in force: at the start of a process libtorch's own.
func Kernels() (KernelRules, error) {
	var benchmark, convolution, product, deterministic C.int
	if err := failure("kernel rules", C.sd_kernel_rules(&benchmark, &convolution, &product, &deterministic)); err != nil {
		return KernelRules{}, err
	}
	return KernelRules{
		Benchmark: benchmark != 0, Deterministic: deterministic != 0,
		ConvolutionTF32: convolution != 0, ProductTF32: product != 0,
	}, nil
}

// cuBLAS is deterministic with a workspace of fixed size alone, and libtorch refuses
// its products without; this is NVIDIA's recommended value.
const (
	cublasVariable  = "CUBLAS_WORKSPACE_CONFIG"
	cublasWorkspace = ":4096:8"
)

// SetKernels puts rules in force. Deterministic ones set CUBLAS_WORKSPACE_CONFIG where
// it is not set, and must come before the first work on a CUDA device, for cuBLAS
// reads it only then.
func SetKernels(r KernelRules) error {
	if _, set := os.LookupEnv(cublasVariable); r.Deterministic && !set {
		if err := os.Setenv(cublasVariable, cublasWorkspace); err != nil {
			return fmt.Errorf("torch: set kernel rules: %w", err)
		}
	}
	return failure("set kernel rules", C.sd_set_kernel_rules(flag(r.Benchmark), flag(r.ConvolutionTF32),
		flag(r.ProductTF32), flag(r.Deterministic)))
}
