package spike

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// check runs an operator (fused or composed) forward and backward.
func (p *problem) check(t *testing.T, operator, layout string, dtype int8, tolerance float64) {
	t.Helper()
	s := torch.NewScope()
	defer s.Close()
	leaf := func(values []float64, shape []int64) torch.Tensor {
		x := s.Detach(layouts[layout](s, tensor(s, values, dtype, shape...)))
		require.NoError(t, s.Err())
		require.NoError(t, torch.RequireGradient(x, true))
		return x
	}
	current := leaf(p.current, p.shape)
	temperature := tensor(s, p.temperatures, torch.Float32, int64(len(p.temperatures)))
	var start any
	leaves := []torch.Tensor{current}
	if p.start != nil {
		leaves = append(leaves, leaf(p.start, p.stepShape()))
		start = leaves[1]
	}
	results := s.Call(operator, p.lif.arguments(s, current, temperature, p.steps, start, p.start != nil)...)
	require.NoError(t, s.Err())
	spikes := results[0].(torch.Tensor)
	assert.Equal(t, p.shape, s.Shape(spikes))
	require.Equal(t, p.spikes, read(t, spikes), "spikes are exact")

	// The gradient of the spikes has a layout of its own.
	loss := s.Sum(s.Mul(spikes, tensor(s, p.weight, dtype, p.shape...)))
	end := results[1].(torch.Tensor)
	if p.start != nil {
		requireClose(t, p.end, read(t, end), tolerance, "membrane at the end")
		loss = s.Add(loss, s.Sum(s.Mul(end, tensor(s, p.endWeight, dtype, p.stepShape()...))))
	} else {
		assert.Equal(t, []int64{0}, s.Shape(end), "no membrane was asked for")
	}
	grads := s.GradientOf(loss, leaves)
	require.NoError(t, s.Err())
	requireClose(t, p.gradient, read(t, grads[0]), tolerance, "gradient of the current")
	if p.start != nil {
		requireClose(t, p.startWeight, read(t, grads[1]), tolerance, "gradient of the membrane")
	}
}

var operators = []string{"spikedhs::lif", "spikedhs::lif_composed"}

func TestLIFAgainstTheDefinition(t *testing.T) {
	assertLive(t)
	rng := rand.New(rand.NewSource(1))
	taus := []float64{0, 0.2, 0.9}
	thresholds := []float64{0.5, 0.3, 1, 0}
	number := 0
	for range 4 {
		for _, tau := range taus {
			for dims := 2; dims <= 5; dims++ {
				number++
				steps := 1 + number%9
				shape := []int64{int64(steps) * (1 + rng.Int63n(3)), 1 + rng.Int63n(5)}
				for len(shape) < dims {
					shape = append(shape, 1+rng.Int63n(9))
				}
				temperatures := []float64{toFloat32(1 + 4*rng.Float64())}
				if number%2 == 0 {
					for int64(len(temperatures)) < shape[1] {
						temperatures = append(temperatures, toFloat32(1+4*rng.Float64()))
					}
				}
				lif := LIF{Tau: tau, Threshold: thresholds[rng.Intn(4)]}
				state := rng.Intn(2) == 0
				single := newProblem(rng, lif, steps, shape, temperatures, state, toFloat32)
				double := newProblem(rng, lif, steps, shape, temperatures, state, toFloat64)
				for layout := range layouts {
					for _, operator := range operators {
						t.Run(fmt.Sprintf("%v %s %s", single, layout, operator), func(t *testing.T) {
							single.check(t, operator, layout, torch.Float32, 1e-5)
							double.check(t, operator, layout, torch.Float64, 1e-12)
						})
					}
				}
			}
		}
	}
}

// Sizes around the kernel's block of 512 neurons and its groups of vectors, and sizes
// that are shared among threads; a temperature for each channel, and one for all,
// which has kernels of its own.
func TestLIFBlocksAndThreads(t *testing.T) {
	assertLive(t)
	before := torch.Threads()
	t.Cleanup(func() { require.NoError(t, torch.SetThreads(before)) })
	rng := rand.New(rand.NewSource(2))
	for _, c := range []struct {
		shape   []int64
		threads int
	}{
		{[]int64{3, 63}, 1}, {[]int64{3, 64}, 1}, {[]int64{3, 97}, 1}, {[]int64{3, 511}, 1}, {[]int64{3, 512}, 1}, {[]int64{3, 513}, 1}, {[]int64{6, 3, 19, 27}, 1},
		{[]int64{6, 7, 41, 71}, 2}, {[]int64{3, 5, 3, 37, 41}, 2}, {[]int64{9, 17, 30, 31}, 3},
	} {
		var temperatures []float64
		for range c.shape[1] {
			temperatures = append(temperatures, toFloat32(1+4*rng.Float64()))
		}
		for _, temperatures := range [][]float64{temperatures, temperatures[:1]} {
			p := newProblem(rng, Default(), 3, c.shape, temperatures, true, toFloat32)
			for _, layout := range []string{"contiguous", "channels-last"} {
				t.Run(fmt.Sprintf("%v %s %d threads %d temperatures", c.shape, layout, c.threads, len(temperatures)), func(t *testing.T) {
					require.NoError(t, torch.SetThreads(c.threads))
					p.check(t, "spikedhs::lif", layout, torch.Float32, 1e-5)
				})
			}
		}
	}
}

// More spikes than the caches hold are written past them.
func TestLIFOfManyNeurons(t *testing.T) {
	if testing.Short() {
		t.Skip("300 MB of memory")
	}
	for _, n := range []int64{8_400_016, 8_400_007} { // in line with the vectors, and not
		s := torch.NewInference()
		current := s.Randn(torch.CPU(), 2*n)
		arguments := Default().arguments(s, current, s.Full(torch.CPU(), 3), 2, nil, true)
		have, want := s.Call("spikedhs::lif", arguments...), s.Call("spikedhs::lif_composed", arguments...)
		require.NoError(t, s.Err())
		for i := range have {
			equal := s.Call("aten::equal", have[i], want[i])[0]
			require.Equal(t, true, equal, "%d neurons, result %d", n, i)
		}
		require.NoError(t, s.Close())
	}
}

func TestLIFSurrogateIsExactlyZeroAtBothEnds(t *testing.T) {
	s := torch.NewScope()
	defer s.Close()
	// One step, so that the gradient is the surrogate.
	potentials := []float64{-3, 0, 1e-3, 0.5, 1 - 1e-3, 1, 4}
	want := []float64{0, 0, 0.304, 1.657187, 0.304, 0, 0}
	for i, u := range potentials {
		want[i] = DefaultSurrogate.Derivative(toFloat32(u)-0.5, 3)
	}
	for _, operator := range operators {
		u := tensor(s, potentials, torch.Float32, 1, 7)
		require.NoError(t, torch.RequireGradient(u, true))
		y := s.Tensor(operator, u, s.Full(torch.CPU(), 3), 0.2, 0.5, 1)
		require.NoError(t, s.Err())
		assert.Equal(t, []float64{0, 0, 0, 0, 1, 1, 1}, read(t, y), "a spike needs u > Vth")
		grad := read(t, s.GradientOf(s.Sum(y), []torch.Tensor{u})[0])
		requireClose(t, want, grad, 1e-5, operator)
		assert.Zero(t, grad[1])
		assert.Zero(t, grad[5])
	}
}

// bfloat16 currents: membranes are float32, so spikes are those of the rounded
// currents, exactly.
func TestLIFInBFloat16(t *testing.T) {
	assertLive(t)
	rng := rand.New(rand.NewSource(3))
	for _, layout := range []string{"contiguous", "channels-last"} {
		p := newProblem(rng, Default(), 5, []int64{10, 7, 9, 11}, []float64{3}, false, toBFloat16)
		s := torch.NewScope()
		current := s.Detach(layouts[layout](s, tensor(s, p.current, torch.BFloat16, p.shape...)))
		require.NoError(t, torch.RequireGradient(current, true))
		y := p.lif.Fire(s, current, s.Full(torch.CPU(), 3), p.steps)
		require.NoError(t, s.Err())
		dtype, err := torch.Dtype(y)
		require.NoError(t, err)
		assert.Equal(t, torch.BFloat16, dtype)
		require.Equal(t, p.spikes, read(t, y))
		weights := tensor(s, p.weight, torch.BFloat16, p.shape...)
		grads := s.GradientOf(s.Sum(s.Mul(y, weights)), []torch.Tensor{current})
		require.NoError(t, s.Err())
		requireClose(t, p.gradient, read(t, grads[0]), 1.0/128, "gradient")
		require.NoError(t, s.Close())
	}
}

func TestFireIsFireComposed(t *testing.T) {
	rng := rand.New(rand.NewSource(4))
	p := newProblem(rng, LIF{Tau: 0.9, Threshold: 0.3}, 4, []int64{8, 3, 5, 7}, []float64{1, 3, 5}, false, toFloat32)
	s := torch.NewScope()
	defer s.Close()
	current, b := tensor(s, p.current, torch.Float32, p.shape...), tensor(s, p.temperatures, torch.Float32, 3)
	fused, composed := p.lif.Fire(s, current, b, 4), p.lif.FireComposed(s, current, b, 4)
	require.NoError(t, s.Err())
	assert.Equal(t, p.spikes, read(t, fused))
	assert.Equal(t, p.spikes, read(t, composed))
}

func TestTemperatureDoesNotChangeTheSpikes(t *testing.T) {
	rng := rand.New(rand.NewSource(5))
	s := torch.NewScope()
	defer s.Close()
	p := newProblem(rng, Default(), 3, []int64{6, 4}, []float64{1}, false, toFloat32)
	for _, b := range []float64{1, 2, 6} {
		y := p.lif.Fire(s, tensor(s, p.current, torch.Float32, 6, 4), s.Full(torch.CPU(), b), 3)
		assert.Equal(t, p.spikes, read(t, y))
	}
	require.NoError(t, s.Err())
}

func TestFireWithoutGradient(t *testing.T) {
	for name, s := range map[string]*torch.Scope{
		"nothing requires one": torch.NewScope(),
		"inference":            torch.NewInference(),
	} {
		t.Run(name, func(t *testing.T) {
			defer s.Close()
			current := s.Full(torch.CPU(), 0.6, 4, 2)
			if !s.Records() {
				require.NoError(t, torch.RequireGradient(current, true))
			}
			y := Default().Fire(s, current, s.Full(torch.CPU(), 3), 2)
			require.NoError(t, s.Err())
			assert.Equal(t, []float64{1, 1, 1, 1, 1, 1, 1, 1}, read(t, y))
			s.Backward(s.Sum(y))
			assert.ErrorContains(t, s.Err(), "does not depend on any tensor that requires a gradient")
		})
	}
}

func TestFireOfAnEmptyBatch(t *testing.T) {
	s := torch.NewScope()
	defer s.Close()
	y := Default().Fire(s, s.Zeros(torch.CPU(), 0, 3, 4, 4), s.Full(torch.CPU(), 3), 2)
	require.NoError(t, s.Err())
	assert.Equal(t, []int64{0, 3, 4, 4}, s.Shape(y))
}

func TestWrongOptionsAreOneClearLine(t *testing.T) {
	for text, c := range map[string]struct {
		lif          LIF
		steps        int
		temperatures int64
		shape        []int64
		dtype        int8
	}{
		"steps must be positive, is 0":           {Default(), 0, 1, []int64{6, 3}, torch.Float32},
		"steps must be positive, is -2":          {Default(), -2, 1, []int64{6, 3}, torch.Float32},
		"must be steps * batch; shape [7, 3]":    {Default(), 3, 1, []int64{7, 3}, torch.Float32},
		"one temperature, or one for each":       {Default(), 3, 2, []int64{6, 3}, torch.Float32},
		"got 0 for shape [6, 3]":                 {Default(), 3, 0, []int64{6, 3}, torch.Float32},
		"got 6 for shape [6]":                    {Default(), 3, 6, []int64{6}, torch.Float32},
		"tau must not be negative, is -0.5":      {LIF{Tau: -0.5}, 3, 1, []int64{6, 3}, torch.Float32},
		"must be floating point, is Long":        {Default(), 3, 1, []int64{6, 3}, torch.Int64},
		"must be steps * batch; shape [] with 1": {Default(), 1, 1, []int64{}, torch.Float32},
	} {
		for name, fire := range map[string]func(LIF, *torch.Scope, torch.Tensor, torch.Tensor, int) torch.Tensor{
			"fused": LIF.Fire, "composed": LIF.FireComposed,
		} {
			t.Run(name+" "+text, func(t *testing.T) {
				s := torch.NewScope()
				defer s.Close()
				current := s.Cast(s.Zeros(torch.CPU(), c.shape...), c.dtype)
				y := fire(c.lif, s, current, s.Full(torch.CPU(), 3, c.temperatures), c.steps)
				assert.False(t, torch.Defined(y))
				require.ErrorContains(t, s.Err(), text)
				assert.NotContains(t, s.Err().Error(), "\n")
			})
		}
	}
}
