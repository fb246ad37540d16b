package train

import (
	"fmt"
	"sync"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
)

// libtorchKernels are libtorch's rules before this program set any; users can change
// them with libtorch's own variables.
var libtorchKernels = sync.OnceValues(torch.Kernels)

// SetKernels makes libtorch choose its CUDA kernels as the section [run] says:
// run.cudnn_benchmark, run.tf32 and run.deterministic.
func SetKernels(c *config.Run) error {
	own, err := libtorchKernels()
	if err == nil {
		err = torch.SetKernels(kernelRules(c, own))
	}
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// kernelRules are those of a configuration over libtorch's own. The fastest kernel of
// a trial is not the same each time, so deterministic runs try none.
func kernelRules(c *config.Run, own torch.KernelRules) torch.KernelRules {
	own.Benchmark = c.CuDNNBenchmark && !c.Deterministic
	own.Deterministic = c.Deterministic
	if c.TF32 != "auto" {
		own.ConvolutionTF32, own.ProductTF32 = c.TF32 == "on", c.TF32 == "on"
	}
	return own
}
