package spike

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/stretchr/testify/require"
)

// kernels are two operators and where they run.
type kernels struct {
	forward, backward string
	device            torch.Device
}

// emulated is the code of the CUDA kernels, thread by thread on the CPU.
func emulated() kernels {
	return kernels{"spikedhs::lif_emulated", "spikedhs::lif_backward_emulated", torch.CPU()}
}

// checkKernels compares forward and backward operator with the definition.
func (p *problem) checkKernels(t *testing.T, k kernels, layout string, dtype int8, tolerance float64) {
	t.Helper()
	tensor := func(s *torch.Scope, values []float64, dtype int8, shape ...int64) torch.Tensor {
		return s.To(tensor(s, values, dtype, shape...), k.device)
	}
	s := torch.NewInference()
	defer s.Close()
	state := torch.Float32
	if dtype == torch.Float64 {
		state = torch.Float64
	}
	current := layouts[layout](s, tensor(s, p.current, dtype, p.shape...))
	temperature := tensor(s, p.temperatures, torch.Float32, int64(len(p.temperatures)))
	var start, endWeight any
	if p.start != nil {
		start = tensor(s, p.start, state, p.stepShape()...)
		endWeight = tensor(s, p.endWeight, state, p.stepShape()...)
	}
	arguments := p.lif.arguments(s, current, temperature, p.steps, start, p.start != nil)
	results := s.Call(k.forward, arguments...)
	require.NoError(t, s.Err())
	require.Equal(t, p.spikes, read(t, results[0].(torch.Tensor)), "spikes are exact")
	if p.start != nil {
		requireClose(t, p.end, read(t, results[1].(torch.Tensor)), tolerance, "membrane at the end")
	}

	weight := tensor(s, p.weight, dtype, p.shape...)
	family := p.lif.Surrogate.Arguments(s, current)
	grads := s.Call(k.backward, append([]any{weight, endWeight, current, temperature, p.lif.Tau, p.lif.Threshold, p.steps, start}, family...)...)
	require.NoError(t, s.Err())
	gradient := read(t, grads[0].(torch.Tensor))
	requireClose(t, p.gradient, gradient, tolerance, "gradient of the current")
	if p.start != nil {
		requireClose(t, p.startWeight, read(t, grads[1].(torch.Tensor)), tolerance, "gradient of the membrane")
	}

	composed := s.Call("spikedhs::lif_composed", arguments...)
	require.NoError(t, s.Err())
	require.Equal(t, read(t, composed[0].(torch.Tensor)), read(t, results[0].(torch.Tensor)))
}

func TestCUDAKernelsEmulated(t *testing.T) { checkAllKernels(t, emulated(), 1e-5) }

// The kernels themselves; the GPU's exp is less exact than the CPU's.
func TestCUDAKernels(t *testing.T) {
	checkAllKernels(t, onCUDA(t), 2e-5)
}

// onCUDA are the kernels of a device, where there is one.
func onCUDA(t *testing.T) kernels {
	t.Helper()
	if reason := torch.CUDAMissing(); reason != "" {
		t.Skip("no CUDA device: " + reason)
	}
	d, err := torch.ParseDevice("cuda")
	require.NoError(t, err)
	if reason := torch.CUDAKernelsMissing(d); reason != "" {
		t.Skip("no CUDA kernels: " + reason)
	}
	return kernels{"spikedhs::lif", "spikedhs::lif_backward", d}
}

// checkAllKernels goes through every T that is compiled in, T in windows (9 and
// more), and shapes that allow wide loads, half of them, or single values.
func checkAllKernels(t *testing.T, k kernels, tolerance float64) {
	assertLive(t)
	rng := rand.New(rand.NewSource(6))
	shapes := map[string][]int64{ // without T in dimension 0
		"wide, one channel a load":  {2, 3, 4, 8},
		"wide, channels differ":     {1, 8, 3, 5},
		"wide, load across planes":  {8, 5, 3, 3},
		"wide, ragged channels":     {8, 12, 1, 3},
		"half":                      {1, 4, 5, 1},
		"single":                    {1, 3, 5, 7},
		"two channels a load, half": {1, 16, 3, 4},
		"volume":                    {2, 3, 2, 4, 2},
		"flat":                      {4, 6},
	}
	dtypes := map[string]struct {
		dtype     int8
		round     func(float64) float64
		tolerance float64
	}{
		"float32":  {torch.Float32, toFloat32, tolerance},
		"float64":  {torch.Float64, toFloat64, 1e-12},
		"bfloat16": {torch.BFloat16, toBFloat16, 1.0 / 128},
		"float16":  {torch.Float16, toFloat16, 1.0 / 1024},
	}
	for _, steps := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 20, 33} {
		for name, shape := range shapes {
			shape := append([]int64{shape[0] * int64(steps)}, shape[1:]...)
			for typeName, d := range dtypes {
				for _, perChannel := range []bool{false, true} {
					temperatures := []float64{toFloat32(1 + 4*rng.Float64())}
					for perChannel && int64(len(temperatures)) < shape[1] {
						temperatures = append(temperatures, toFloat32(1+4*rng.Float64()))
					}
					p := newProblem(rng, LIF{Tau: 0.5, Threshold: 0.5}, steps, shape, temperatures, steps%2 == 0, d.round)
					t.Run(fmt.Sprintf("T=%d %s %s %v", steps, name, typeName, perChannel), func(t *testing.T) {
						for layout := range layouts {
							p.checkKernels(t, k, layout, d.dtype, d.tolerance)
						}
					})
				}
			}
		}
	}
}

// More channels than a block's table holds.
func TestCUDAKernelsEmulatedWithManyChannels(t *testing.T) {
	rng := rand.New(rand.NewSource(7))
	for _, channels := range []int64{1024, 1032} {
		var temperatures []float64
		for range channels {
			temperatures = append(temperatures, toFloat32(1+4*rng.Float64()))
		}
		p := newProblem(rng, Default(), 2, []int64{4, channels, 1, 3}, temperatures, false, toFloat32)
		for layout := range layouts {
			p.checkKernels(t, emulated(), layout, torch.Float32, 1e-5)
		}
	}
}

// Views whose data start off the 16 bytes of a wide load fall back to single ones.
func TestCUDAKernelsEmulatedOnUnalignedData(t *testing.T) {
	rng := rand.New(rand.NewSource(8))
	p := newProblem(rng, Default(), 3, []int64{6, 4, 2, 4}, []float64{1, 2, 3, 4}, false, toFloat32)
	s := torch.NewInference()
	defer s.Close()
	shifted := torch.FromSlice(s, append([]float64{0}, p.current...), int64(1+len(p.current)))
	current := s.Reshape(s.Narrow(s.Cast(shifted, torch.Float32), 0, 1, len(p.current)), p.shape...)
	temperature := tensor(s, p.temperatures, torch.Float32, 4)
	spikes := s.Tensor("spikedhs::lif_emulated", current, temperature, p.lif.Tau, p.lif.Threshold, 3)
	weight := tensor(s, p.weight, torch.Float32, p.shape...)
	gradient := s.Tensor("spikedhs::lif_backward_emulated", weight, nil, current, temperature, p.lif.Tau, p.lif.Threshold, 3, nil)
	require.NoError(t, s.Err())
	require.Equal(t, p.spikes, read(t, spikes))
	requireClose(t, p.gradient, read(t, gradient), 1e-5, "gradient")
}
