package spike

import (
	"fmt"
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// toFloat16 rounds to 11 bits of mantissa, fewer below 2^-14, ties to even.
func toFloat16(x float64) float64 {
	_, exponent := math.Frexp(x)
	unit := math.Ldexp(1, max(exponent, -13)-11)
	return math.RoundToEven(x/unit) * unit
}

// channelSlice is a tensor of the values that is a slice of the channels of a wider
// one, with numbers around it that would be noticed.
func channelSlice(
	s *torch.Scope, values []float64, dtype int8, layout string, shape []int64, before, after int,
) torch.Tensor {
	c := int(shape[1])
	wide := slices.Clone(shape)
	wide[1] = int64(before + c + after)
	plane := product(shape[2:])
	var all []float64
	other := slices.Repeat([]float64{300}, plane*max(before, after))
	for n := range int(shape[0]) {
		all = append(all, other[:plane*before]...)
		all = append(all, values[n*c*plane:(n+1)*c*plane]...)
		all = append(all, other[:plane*after]...)
	}
	return s.Narrow(layouts[layout](s, tensor(s, all, dtype, wide...)), 1, before, c)
}

// copies counts the copies that a profile has seen.
func copies(t *testing.T, do func()) int64 {
	t.Helper()
	require.NoError(t, torch.StartProfile(false))
	do()
	list, err := torch.StopProfile()
	require.NoError(t, err)
	for _, o := range list {
		if o.Name == "aten::copy_" {
			return o.Calls
		}
	}
	return 0
}

// Currents and gradients that are slices of channels are read where they lie, and
// give to the bit what dense copies give. A slice that starts off the 16 bytes of a
// wide load, or is no multiple of one, is copied first.
func TestCUDAKernelsEmulatedOnSlices(t *testing.T) {
	rng := rand.New(rand.NewSource(12))
	rounds := map[int8]func(float64) float64{
		torch.Float32: toFloat32, torch.Float64: toFloat64, torch.BFloat16: toBFloat16, torch.Float16: toFloat16,
	}
	for dtype, round := range rounds {
		for _, steps := range []int{1, 4, 9, 21} {
			for _, shape := range [][]int64{{2, 16, 3, 5}, {1, 8, 4, 4}, {2, 8, 2, 3, 4}, {3, 16}} {
				shape := append([]int64{shape[0] * int64(steps)}, shape[1:]...)
				temperatures := make([]float64, shape[1])
				for i := range temperatures {
					temperatures[i] = toFloat32(1 + 4*rng.Float64())
				}
				p := newProblem(rng, Default(), steps, shape, temperatures, steps == 4, round)
				for _, layout := range []string{"contiguous", "channels-last"} {
					for _, before := range []int{8, 1} {
						t.Run(fmt.Sprintf("%d %v %s %d", dtype, shape, layout, before), func(t *testing.T) {
							p.checkSlices(t, dtype, layout, before)
						})
					}
				}
			}
		}
	}
}

func (p *problem) checkSlices(t *testing.T, dtype int8, layout string, before int) {
	s := torch.NewInference()
	defer s.Close()
	state := torch.Float32
	if dtype == torch.Float64 {
		state = torch.Float64
	}
	temperature := tensor(s, p.temperatures, state, int64(len(p.temperatures)))
	var start, endWeight any
	if p.start != nil {
		start = layouts[layout](s, tensor(s, p.start, state, p.stepShape()...))
		endWeight = layouts[layout](s, tensor(s, p.endWeight, state, p.stepShape()...))
	}
	run := func(current, weight torch.Tensor) (spikes, gradient torch.Tensor) {
		forward := p.lif.arguments(s, current, temperature, p.steps, start, p.start != nil)
		spikes = s.Call("spikedhs::lif_emulated", forward...)[0].(torch.Tensor)
		grads := s.Call("spikedhs::lif_backward_emulated", weight, endWeight, current, temperature, p.lif.Tau, p.lif.Threshold, p.steps, start)
		require.NoError(t, s.Err())
		return spikes, grads[0].(torch.Tensor)
	}
	wantSpikes, wantGradient := run(
		layouts[layout](s, tensor(s, p.current, dtype, p.shape...)), layouts[layout](s, tensor(s, p.weight, dtype, p.shape...)))
	require.Equal(t, p.spikes, read(t, wantSpikes))

	current := channelSlice(s, p.current, dtype, layout, p.shape, before, 16-before)
	weight := channelSlice(s, p.weight, dtype, layout, p.shape, 16-before, before)
	var spikes, gradient torch.Tensor
	copied := copies(t, func() { spikes, gradient = run(current, weight) })
	require.Equal(t, p.spikes, read(t, spikes))
	require.Equal(t, read(t, wantGradient), read(t, gradient))
	assert.Equal(t, p.shape, s.Shape(gradient))
	aligned := 16 / map[int8]int{torch.Float32: 4, torch.Float64: 8, torch.BFloat16: 2, torch.Float16: 2}[dtype]
	plane := product(p.shape[2:])
	if layout == "channels-last" && len(p.shape) > 2 {
		plane = 1
	}
	if before*plane%aligned == 0 {
		assert.Zero(t, copied, "read by stride")
	} else {
		assert.EqualValues(t, 3, copied, "the current twice, the gradient once")
	}
}

// float16 is rounded as the definition of the type says: the gradient of one step is
// the weight times a number that these cases choose.
func TestFloat16OfTheEmulatedKernels(t *testing.T) {
	s := torch.NewInference()
	defer s.Close()
	values := []float64{0, 1, -1, 65504, -65504, 6e-8, -6e-8, 3e-8, 2.9e-8, 6.1e-5, 1.0 / 3, 2047.4, 2049, 2051, 1e-5, 0.1}
	for len(values) < 4096 {
		values = append(values, math.Exp(20*rand.New(rand.NewSource(int64(len(values)))).Float64()-12))
	}
	n := int64(len(values))
	x := tensor(s, values, torch.Float16, 1, n)
	current := s.Cast(s.Full(torch.CPU(), 0.5, 1, n), torch.Float16)
	// On the threshold the rectangle is 1 and nothing is reset: dL/dI is dL/dy.
	rectangle := append([]any{x, nil, current, s.Full(torch.CPU(), 1, 1), 0.5, 0.5, 1, nil}, Rectangular.Arguments(s, current)...)
	gradient := s.Call("spikedhs::lif_backward_emulated", rectangle...)
	require.NoError(t, s.Err())
	require.Equal(t, read(t, x), read(t, gradient[0].(torch.Tensor)), "read and written unchanged")

	// Times a temperature of 1.37, which is its height, every product is rounded.
	third := append([]any{x, nil, current, s.Full(torch.CPU(), 1.37, 1), 0.5, 0.5, 1, nil}, Rectangular.Arguments(s, current)...)
	scaled := s.Call("spikedhs::lif_backward_emulated", third...)
	require.NoError(t, s.Err())
	want := s.Cast(s.Mul(s.Cast(x, torch.Float32), s.Full(torch.CPU(), 1.37, 1)), torch.Float16)
	require.Equal(t, read(t, want), read(t, scaled[0].(torch.Tensor)))
}
