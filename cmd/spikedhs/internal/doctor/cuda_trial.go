package doctor

import (
	"fmt"
	"math"

	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

const trialSteps = 4

// trialCurrents are of T = 4, N = 2, C = 3 and 5 x 4 pixels, time slowest. With them no
// membrane of the paper's neuron comes closer to its threshold than 0.01, so rounding
// changes no spike.
func trialCurrents() []float32 {
	const step = 2 * 3 * 5 * 4
	levels := [...]float32{0.3, 0.45, 0.9, 0, 0.45, 0.45, 0.3}
	currents := make([]float32, trialSteps*step)
	for i := range currents {
		currents[i] = levels[(i+i/step)%len(levels)]
	}
	return currents
}

// tryNeurons fires a few neurons on a device, by our kernel where it is there, and
// compares the spikes with the CPU's.
func tryNeurons(d torch.Device) error {
	currents := trialCurrents()
	return compare(d, "spikes", func(s *torch.Scope, d torch.Device) torch.Tensor {
		x := torch.Upload(s, d, currents, trialSteps*2, 3, 5, 4)
		return spike.Default().Fire(s, x, s.Full(d, spike.DefaultTemperature), trialSteps)
	})
}

// tryConvolution runs a small convolution of libtorch on a device: the first thing to
// fail where it has no code for the GPU.
func tryConvolution(d torch.Device) error {
	ramp := func(s *torch.Scope, d torch.Device, shape ...int64) torch.Tensor {
		size := int64(1)
		for _, n := range shape {
			size *= n
		}
		values := make([]float32, size)
		for i := range values {
			values[i] = float32(i%7) - 3
		}
		return torch.Upload(s, d, values, shape...)
	}
	convolve := func(s *torch.Scope, d torch.Device) torch.Tensor {
		return s.Tensor("aten::conv2d", ramp(s, d, 2, 8, 6, 6), ramp(s, d, 8, 8, 3, 3), nil, []int64{1, 1}, []int64{1, 1})
	}
	return compare(d, "values", convolve)
}

// compare computes the same on a device and on the CPU. `what` are the numbers that
// come out.
func compare(d torch.Device, what string, compute func(*torch.Scope, torch.Device) torch.Tensor) error {
	s := torch.NewInference()
	defer s.Close()
	there, here := compute(s, d), compute(s, torch.CPU())
	if err := s.Err(); err != nil {
		return err
	}
	got, err := torch.ToSlice[float32](there)
	if err != nil {
		return err
	}
	want, err := torch.ToSlice[float32](here)
	if err != nil {
		return err
	}
	return differences(got, want, what)
}

// differences counts the numbers that are not those wanted. Convolutions may go by
// ways that round, so whole numbers of some hundreds are compared to a hundredth.
func differences(got, want []float32, what string) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d %s instead of %d", len(got), what, len(want))
	}
	wrong := 0
	for i := range want {
		if !(math.Abs(float64(got[i]-want[i])) <= 0.01) { // NaN is wrong
			wrong++
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d %s are not those of the CPU", wrong, len(want), what)
	}
	return nil
}
