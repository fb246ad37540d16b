package torch

import (
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// spikeCase is a convolution of binary spikes over several steps.
type spikeCase struct {
	steps, batch, in, out, height, width, kernel, stride int
	// density is the share of ones at the first step, change that of the neurons
	// that differ from the step two before.
	density, change float64
}

func (c spikeCase) String() string {
	return fmt.Sprintf("T%d N%d %d-%d %dx%d k%d s%d d%g c%g", c.steps, c.batch, c.in, c.out, c.height, c.width, c.kernel, c.stride,
		c.density, c.change)
}

var spikeCases = []spikeCase{
	{1, 1, 3, 5, 7, 9, 3, 1, 0.3, 0},
	{1, 2, 64, 16, 8, 8, 3, 1, 0.02, 0},
	{3, 2, 70, 33, 8, 5, 3, 2, 0.4, 0.05},
	{6, 3, 48, 96, 9, 9, 3, 1, 0.4, 0.02},
	{4, 1, 130, 100, 5, 6, 3, 2, 0.05, 0.3},
	{2, 2, 65, 17, 4, 4, 1, 1, 0.5, 0.1},
	{2, 1, 20, 110, 6, 5, 5, 3, 0.5, 0.5},
	{3, 2, 16, 8, 6, 6, 3, 1, 0, 0},
	{3, 2, 67, 40, 6, 6, 3, 1, 1, 0},
	{1, 1, 5, 3, 1, 1, 3, 2, 1, 0},
	{5, 1, 4, 200, 3, 40, 7, 1, 0.2, 0.9},
	{6, 5, 12, 12, 2, 3, 3, 1, 0.5, 0.1}, // tiles over several images
}

// spikes draws [T*N, C, H, W]: mostly what they were two steps before.
func (c spikeCase) spikes(rng *rand.Rand) array {
	plane := c.batch * c.in * c.height * c.width
	a := array{shape: []int64{int64(c.steps * c.batch), int64(c.in), int64(c.height), int64(c.width)}}
	for i := range c.steps * plane {
		one := rng.Float64() < c.density
		if i >= 2*plane {
			one = (a.data[i-2*plane] == 1) != (rng.Float64() < c.change)
		}
		if one {
			a.data = append(a.data, 1)
		} else {
			a.data = append(a.data, 0)
		}
	}
	return a
}

// conv is the definition in float64.
func (c spikeCase) conv(x, w array, bias []float64) array {
	pad := c.kernel / 2
	h, wide := (c.height-1)/c.stride+1, (c.width-1)/c.stride+1
	return compute([]int64{x.shape[0], int64(c.out), int64(h), int64(wide)}, func(i []int64) float64 {
		sum := bias[i[1]]
		for in := range c.in {
			for ky := range c.kernel {
				for kx := range c.kernel {
					iy, ix := int(i[2])*c.stride+ky-pad, int(i[3])*c.stride+kx-pad
					if iy < 0 || iy >= c.height || ix < 0 || ix >= c.width {
						continue
					}
					at := ((int(i[0])*c.in+in)*c.height+iy)*c.width + ix
					sum += x.data[at] * w.data[((int(i[1])*c.in+in)*c.kernel+ky)*c.kernel+kx]
				}
			}
		}
		return sum
	})
}

func float32s(values []float64) []float32 {
	list := make([]float32, len(values))
	for i, v := range values {
		list[i] = float32(v)
	}
	return list
}

func TestSpikeConvolution(t *testing.T) {
	needKernels(t, "events")
	for n, c := range spikeCases {
		t.Run(c.String(), func(t *testing.T) {
			rng := rand.New(rand.NewSource(int64(n)))
			s := NewInference()
			defer s.Close()
			x := c.spikes(rng)
			w := random(rng, int64(c.out), int64(c.in), int64(c.kernel), int64(c.kernel))
			bias := random(rng, int64(c.out))
			spikes := FromSlice(s, float32s(x.data), x.shape...)
			bits := s.Tensor("spikedhs::spike_pack", spikes)
			back, err := ToSlice[float32](s.Contiguous(s.Tensor("spikedhs::spike_unpack", bits, c.in)))
			require.NoError(t, err)
			assert.Equal(t, float32s(x.data), back, "packing loses nothing")

			channels := []int64{int64(c.out)}
			weights := s.Tensor("spikedhs::spike_weights", FromSlice(s, float32s(w.data), w.shape...), channels)
			current := func() Tensor {
				return s.Contiguous(s.Tensor("spikedhs::spike_conv2d", bits, weights, FromSlice(s, float32s(bias.data), channels...),
					c.out, c.kernel, c.stride, c.steps))
			}
			y := current()
			want := c.conv(x, w, bias.data)
			assert.Equal(t, want.shape, s.Shape(y))
			have, err := ToSlice[float32](y)
			require.NoError(t, err)
			worst := 0.0
			for i := range have {
				worst = max(worst, abs(float64(have[i])-want.data[i]))
			}
			assert.Less(t, worst, 2e-4, "of sums of up to %d normal numbers", c.in*c.kernel*c.kernel)

			before := Threads()
			defer func() { require.NoError(t, SetThreads(before)) }()
			for _, threads := range []int{1, 3} {
				require.NoError(t, SetThreads(threads))
				again, err := ToSlice[float32](current())
				require.NoError(t, err)
				require.Equal(t, have, again, "%d threads", threads)
			}
		})
	}
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}

// A layer of neurons under two sources against the definition in float64.
func TestSpikeLayer(t *testing.T) {
	needKernels(t, "events")
	rng := rand.New(rand.NewSource(9))
	s := NewInference()
	defer s.Close()
	wide := spikeCase{4, 2, 70, 36, 9, 8, 3, 2, 0.3, 0.05}
	narrow := spikeCase{4, 2, 5, 36, 5, 4, 1, 1, 0.5, 0.1}
	layers := []int64{20, 16}
	bias := random(rng, 36)
	zero := make([]float64, 36)
	sum := make([]float64, 4*2*36*5*4)
	var sources, weights []Tensor
	ones := make([]int64, 2)
	for n, c := range []spikeCase{wide, narrow} {
		x, w := c.spikes(rng), random(rng, 36, int64(c.in), int64(c.kernel), int64(c.kernel))
		for i := range w.data { // multiples of 1/64 have exact sums
			w.data[i] = float64(int(w.data[i]*4)) / 64
		}
		for i := range x.data {
			ones[n] += int64(x.data[i])
		}
		for i, v := range c.conv(x, w, zero).data {
			sum[i] += v
		}
		sources = append(sources, s.Tensor("spikedhs::spike_pack", FromSlice(s, float32s(x.data), x.shape...)))
		weights = append(weights, s.Tensor("spikedhs::spike_weights", FromSlice(s, float32s(w.data), w.shape...), layers))
	}
	for i := range bias.data {
		bias.data[i] = float64(int(bias.data[i]*64))/64 + 1.0/256 // off the threshold
	}
	results := s.Call("spikedhs::spike_layer", sources, weights, []int64{3, 1}, []int64{2, 1},
		FromSlice(s, float32s(bias.data), 36), layers, 0.25, 0.5, 4)
	require.NoError(t, s.Err())
	counts, err := ToSlice[int64](results[1].(Tensor))
	require.NoError(t, err)
	assert.Equal(t, ones, counts)

	plane := 2 * 36 * 5 * 4
	v := make([]float64, plane)
	want := make([]float32, len(sum))
	for i := range sum {
		u := 0.25*v[i%plane] + sum[i] + bias.data[i/20%36]
		if u > 0.5 {
			want[i], u = 1, 0
		}
		v[i%plane] = u
	}
	var parts []Tensor
	for i, bits := range results[0].([]Tensor) {
		parts = append(parts, s.Tensor("spikedhs::spike_unpack", bits, layers[i]))
	}
	have, err := ToSlice[float32](s.Contiguous(s.Cat(parts, 1)))
	require.NoError(t, err)
	assert.Equal(t, want, have)
	assert.Contains(t, want, float32(1))
}

// Nearest interpolation of bits takes the pixels that libtorch takes; rates are
// means; steady neurons are the LIF operator's.
func TestSpikesAroundConvolutions(t *testing.T) {
	needKernels(t, "events")
	rng := rand.New(rand.NewSource(10))
	s := NewInference()
	defer s.Close()
	for _, size := range [][2]int{{8, 8}, {17, 13}, {5, 1}, {31, 6}} {
		c := spikeCase{steps: 2, batch: 3, in: 70, height: size[0], width: size[1], density: 0.4}
		x := c.spikes(rng)
		spikes := FromSlice(s, float32s(x.data), x.shape...)
		bits := s.Tensor("spikedhs::spike_pack", spikes)
		h, w := int64((c.height+1)/2), int64((c.width+1)/2)
		small := s.Tensor("spikedhs::spike_unpack", s.Tensor("spikedhs::spike_resize", bits, h, w), c.in)
		equalTensors(t, s, s.ResizeNearest(spikes, h, w), small)
		rates, err := ToSlice[float32](s.Tensor("spikedhs::spike_rates", []Tensor{bits, bits}, []int64{70, 70}))
		require.NoError(t, err)
		means, err := ToSlice[float32](s.Cat([]Tensor{s.GlobalAveragePool(spikes), s.GlobalAveragePool(spikes)}, 1))
		require.NoError(t, err)
		assert.InDeltaSlice(t, means, rates, 1e-6)
		current := s.Randn(CPU(), 3, 70, int64(c.height), int64(c.width))
		steady := s.Tensor("spikedhs::spike_fire", current, 0.2, 0.5, 5)
		equalTensors(t, s, s.Tensor("spikedhs::lif", s.RepeatFirst(current, 5), s.Full(CPU(), 1, 1), 0.2, 0.5, 5),
			s.Tensor("spikedhs::spike_unpack", steady, 70))
	}
}

func equalTensors(t *testing.T, s *Scope, want, have Tensor) {
	t.Helper()
	a, err := ToSlice[float32](s.Contiguous(want))
	require.NoError(t, err)
	b, err := ToSlice[float32](s.Contiguous(have))
	require.NoError(t, err)
	require.Equal(t, a, b)
}

func TestSpikeOperatorsRefuse(t *testing.T) {
	needKernels(t, "events")
	fail := func(name, message string, args func(s *Scope) []any) {
		s := NewInference()
		defer s.Close()
		s.Call("spikedhs::"+name, args(s)...)
		assert.ErrorContains(t, s.Err(), message)
	}
	bits := func(s *Scope) Tensor { return s.Tensor("spikedhs::spike_pack", s.Zeros(CPU(), 4, 3, 5, 5)) }
	weights := func(s *Scope, out ...int64) Tensor {
		return s.Tensor("spikedhs::spike_weights", s.Zeros(CPU(), 8, 3, 3, 3), out)
	}
	fail("spike_pack", "want [N, C, H, W]", func(s *Scope) []any { return []any{s.Zeros(CPU(), 4)} })
	fail("spike_unpack", "do not fill", func(s *Scope) []any { return []any{bits(s), 65} })
	fail("spike_unpack", "packed spikes are int64", func(s *Scope) []any { return []any{s.Zeros(CPU(), 1, 1, 1, 1), 1} })
	fail("spike_weights", "5 channels for weight", func(s *Scope) []any { return []any{s.Zeros(CPU(), 8, 3, 3, 3), []int64{5}} })
	conv := func(change func(s *Scope) []any) func(s *Scope) []any { return change }
	fail("spike_conv2d", "must be odd", conv(func(s *Scope) []any { return []any{bits(s), weights(s, 8), nil, 8, 2} }))
	fail("spike_conv2d", "where spike_weights makes", conv(func(s *Scope) []any { return []any{bits(s), weights(s, 8), nil, 8, 5} }))
	fail("spike_conv2d", "steps * batch", conv(func(s *Scope) []any { return []any{bits(s), weights(s, 8), nil, 8, 3, 1, 3} }))
	fail("spike_conv2d", "stride must be positive", conv(func(s *Scope) []any { return []any{bits(s), weights(s, 8), nil, 8, 3, 0} }))
	fail("spike_conv2d", "bias must have 8 numbers", conv(func(s *Scope) []any {
		return []any{bits(s), weights(s, 8), s.Zeros(CPU(), 7), 8, 3}
	}))
	fail("spike_resize", "no grid of 0 x 3", func(s *Scope) []any { return []any{bits(s), 0, 3} })
}

// Each instruction set that this machine has gives the same sums.
func TestSpikeKernelsOfLesserProcessors(t *testing.T) {
	needKernels(t, "events")
	if os.Getenv("SPIKEDHS_KERNELS") != "" {
		t.Skip("runs in the processes that this test starts")
	}
	for _, name := range []string{"generic", "avx2"} {
		c := exec.Command(os.Args[0], "-test.run", "^TestSpike")
		c.Env = append(os.Environ(), "SPIKEDHS_KERNELS="+name)
		out, err := c.CombinedOutput()
		assert.NoError(t, err, "%s: %s", name, out)
	}
}
