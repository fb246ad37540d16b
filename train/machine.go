package train

import (
	"fmt"
	"sync"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
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

// float16LossScale is the factor of losses whose gradients pass through float16. Of a
// mean over some 10^5 pixels or neurons a gradient is about 1e-5 and shrinks on its way
// back, while float16 loses digits below 6e-5 and has nothing below 6e-8; and weights'
// gradients, which are clipped at a norm of 5, overflow from 65504 on. 2^10 leaves a
// factor of 64 above 1 and 1.6e4 below.
const float16LossScale = 1 << 10

// LossScale is the factor of the losses of a network, 0 for none; see [torch.LossScale].
func LossScale(p search.Precision) float64 {
	if p == search.Float16 {
		return float16LossScale
	}
	return 0
}

// setUpToUse is setUp for a network that is trained. One of float16 is used in float32
// where there is no CUDA device.
func setUpToUse(c *config.Config) (machine, error) {
	m, err := setUp(c)
	if m.precision == search.Float16 && !torch.IsCUDA(m.device) {
		m.precision = search.Float32
	}
	return m, err
}

// needsCUDA refuses float16 on the CPU, which has few of libtorch's operators for it
// and is slow in them; key is the one that asks for it.
func needsCUDA(key string, p search.Precision, d torch.Device) error {
	if p != search.Float16 || torch.IsCUDA(d) {
		return nil
	}
	return fmt.Errorf("%w: %s: float16 needs a CUDA device; on the CPU use bfloat16 or float32", config.ErrInvalid, key)
}

// memory is what a run has needed so far: the peak of this process and, on CUDA,
// of the tensors on the device in the epoch that ends. Every record of a step
// holds what is in use then (rss_mb).
type memory struct {
	process, device, devicePeak float64 // megabytes; 0: not known
}

// memoryOf asks the system and the device, and starts a new peak on the device.
func memoryOf(d torch.Device) (memory, error) {
	m := memory{process: run.PeakMegabytes()}
	on, err := torch.DeviceMemory(d)
	if err != nil {
		return memory{}, fmt.Errorf("train: %w", err)
	}
	const megabyte = 1 << 20
	m.device, m.devicePeak = float64(on.Allocated)/megabyte, float64(on.Peak)/megabyte
	if err := torch.ResetPeakMemory(d); err != nil {
		return memory{}, fmt.Errorf("train: %w", err)
	}
	return m, nil
}

// fields are for metrics.jsonl; they belong to the machine, not to the result.
func (m memory) fields() []run.Field {
	var list []run.Field
	for _, f := range []struct {
		name  string
		value float64
	}{{"peak_rss_mb", m.process}, {"device_mb", m.device}, {"device_peak_mb", m.devicePeak}} {
		if f.value > 0 {
			list = append(list, run.Wall(f.name, f.value))
		}
	}
	return list
}

// String is for the line that ends an epoch.
func (m memory) String() string {
	switch {
	case m.devicePeak > 0:
		return fmt.Sprintf(", memory %.2f GB on the device, %.2f GB beside it", m.devicePeak/1024, m.process/1024)
	case m.process > 0:
		return fmt.Sprintf(", memory %.2f GB", m.process/1024)
	}
	return ""
}
