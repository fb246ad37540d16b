package torch

import (
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Convolutions of 3x3, with stride 1 and 2, by way of points give what the definitions
// give, to the bit where float32 holds all numbers on the way, with the processor's
// instructions and with plain loops, with any number of threads.
func TestWinograd(t *testing.T) {
	needKernels(t, "winograd")
	before := Threads()
	defer func() { require.NoError(t, SetThreads(before)) }()
	cases := []convCase{
		{1, 1, 1, 1, 1, 3, 1, 1},
		{1, 1, 1, 3, 3, 3, 1, 0},
		{2, 3, 5, 7, 9, 3, 1, 1},
		{1, 5, 4, 4, 2, 3, 1, 2},
		{3, 16, 16, 8, 8, 3, 1, 1},
		{5, 17, 50, 9, 4, 3, 1, 1},
		{2, 40, 33, 6, 13, 3, 1, 0},
		{7, 48, 20, 5, 5, 3, 1, 1}, // more tiles than are taken at a time
		{1, 9, 100, 20, 30, 3, 1, 1},
		{1, 1, 1, 1, 1, 3, 2, 1},
		{2, 3, 5, 7, 9, 3, 2, 0},
		{1, 5, 4, 4, 2, 3, 2, 2},
		{3, 16, 16, 8, 8, 3, 2, 1},
		{5, 17, 50, 9, 4, 3, 2, 1},
		{2, 40, 33, 6, 13, 3, 2, 3},
		{7, 48, 20, 10, 10, 3, 2, 1},
		{1, 9, 100, 40, 30, 3, 2, 0},
	}
	for i, c := range cases {
		t.Run(c.String(), func(t *testing.T) {
			s := NewInference()
			defer s.Close()
			rng := rand.New(rand.NewSource(int64(i)))
			x, g := c.tensors(rng)
			w := compute([]int64{int64(c.out), int64(c.in), 3, 3}, func([]int64) float64 { return float64(rng.Intn(17)-8) / 8 })
			bias := compute([]int64{int64(c.out)}, func([]int64) float64 { return float64(rng.Intn(17)-8) / 8 })
			wants := map[string]array{"y": c.forward(x, w, bias), "dx": c.backward(g, w), "dw": c.gradient(x, g)}
			pad := []int64{int64(c.pad), int64(c.pad)}
			for _, threads := range []int{1, 2, 3} {
				require.NoError(t, SetThreads(threads))
				for _, plain := range []bool{false, true} {
					last := func(a array) Tensor { return s.ChannelsLast(a.tensor(s)) }
					for name, got := range map[string]Tensor{
						"y":  s.Tensor("spikedhs::winograd_forward", last(x), last(w), bias.tensor(s), c.stride, pad, plain),
						"dx": s.Tensor("spikedhs::winograd_input_gradient", last(x), last(g), last(w), c.stride, pad, plain),
						"dw": s.Tensor("spikedhs::winograd_weight_gradient", last(x), last(g), last(w), c.stride, pad, plain),
					} {
						require.NoError(t, s.Err())
						data, err := ToSlice[float32](s.Contiguous(got))
						require.NoError(t, err)
						require.Equal(t, wants[name].shape, s.Shape(got))
						for k, v := range wants[name].data {
							require.Equal(t, float32(v), data[k], "%s, %d threads, plain %v, element %d", name, threads, plain, k)
						}
					}
				}
			}
		})
	}
}

// Numbers that round lose no more than in a direct convolution: here 144 channels,
// whose sums have 1,296 terms.
func TestWinogradRounds(t *testing.T) {
	needKernels(t, "winograd")
	for _, c := range []convCase{{1, 144, 24, 8, 8, 3, 1, 1}, {1, 144, 24, 16, 16, 3, 2, 1}} {
		s := NewInference()
		rng := rand.New(rand.NewSource(3))
		draw := func(shape ...int) array {
			wide := make([]int64, len(shape))
			for i, n := range shape {
				wide[i] = int64(n)
			}
			return compute(wide, func([]int64) float64 { return float64(float32(rng.NormFloat64())) })
		}
		h, wide := c.grid()
		x, g, w := draw(c.batch, c.in, c.height, c.width), draw(c.batch, c.out, h, wide), draw(c.out, c.in, 3, 3)
		pad := []int64{1, 1}
		zeros := compute([]int64{int64(c.out)}, func([]int64) float64 { return 0 })
		for name, both := range map[string]struct {
			want array
			got  Tensor
		}{
			"y":  {c.forward(x, w, zeros), s.Tensor("spikedhs::winograd_forward", x.tensor(s), w.tensor(s), nil, c.stride, pad, false)},
			"dx": {c.backward(g, w), s.Tensor("spikedhs::winograd_input_gradient", x.tensor(s), g.tensor(s), w.tensor(s), c.stride, pad, false)},
			"dw": {c.gradient(x, g), s.Tensor("spikedhs::winograd_weight_gradient", x.tensor(s), g.tensor(s), w.tensor(s), c.stride, pad, false)},
		} {
			require.NoError(t, s.Err())
			data, err := ToSlice[float32](s.Contiguous(both.got))
			require.NoError(t, err)
			for k, v := range both.want.data {
				require.InDelta(t, v, data[k], 1e-4, "%s of %v, element %d", name, c, k) // of about 36: float32 has 4e-6
			}
		}
		_ = s.Close()
	}
}

// The gradient of weights, whose sums round, has the same bits with any number of
// threads; so has the output.
func TestWinogradDoesNotDependOnThreads(t *testing.T) {
	needKernels(t, "winograd")
	before := Threads()
	defer func() { require.NoError(t, SetThreads(before)) }()
	for _, c := range []convCase{{9, 50, 20, 18, 17, 3, 1, 1}, {9, 50, 20, 37, 33, 3, 2, 1}} {
		s := NewInference()
		require.NoError(t, Seed(5))
		h, wide := c.grid()
		x, w := s.Randn(CPU(), int64(c.batch), int64(c.in), int64(c.height), int64(c.width)), s.Randn(CPU(), int64(c.out), int64(c.in), 3, 3)
		g := s.Randn(CPU(), int64(c.batch), int64(c.out), int64(h), int64(wide))
		pad := []int64{1, 1}
		want := map[string][]float32{}
		for _, threads := range []int{1, 2, 3, 16} {
			require.NoError(t, SetThreads(threads))
			for name, got := range map[string]Tensor{
				"y":  s.Tensor("spikedhs::winograd_forward", x, w, nil, c.stride, pad, false),
				"dx": s.Tensor("spikedhs::winograd_input_gradient", x, g, w, c.stride, pad, false),
				"dw": s.Tensor("spikedhs::winograd_weight_gradient", x, g, w, c.stride, pad, false),
			} {
				require.NoError(t, s.Err())
				data, err := ToSlice[float32](s.Contiguous(got))
				require.NoError(t, err)
				if want[name] == nil {
					want[name] = data
				}
				require.Equal(t, want[name], data, "%s of %v, %d threads", name, c, threads)
			}
		}
		_ = s.Close()
	}
}

func TestWinogradRefuses(t *testing.T) {
	needKernels(t, "winograd")
	s := NewInference()
	defer s.Close()
	x, w := s.Zeros(CPU(), 2, 3, 6, 6), s.Zeros(CPU(), 5, 3, 3, 3)
	for name, call := range map[string]func(c *Scope){
		"channels": func(c *Scope) {
			c.Tensor("spikedhs::winograd_forward", s.Zeros(CPU(), 2, 4, 6, 6), w, nil, 1, []int64{1, 1}, false)
		},
		"kernel": func(c *Scope) {
			c.Tensor("spikedhs::winograd_forward", x, s.Zeros(CPU(), 5, 3, 5, 5), nil, 1, []int64{1, 1}, false)
		},
		"stride": func(c *Scope) {
			c.Tensor("spikedhs::winograd_forward", x, w, nil, 3, []int64{1, 1}, false)
		},
		"types": func(c *Scope) {
			c.Tensor("spikedhs::winograd_forward", x, s.Cast(w, BFloat16), nil, 1, []int64{1, 1}, false)
		},
		"bfloat16": func(c *Scope) {
			c.Tensor("spikedhs::winograd_forward", s.Cast(x, BFloat16), s.Cast(w, BFloat16), nil, 1, []int64{1, 1}, false)
		},
		"gradient": func(c *Scope) {
			c.Tensor("spikedhs::winograd_input_gradient", x, s.Zeros(CPU(), 2, 5, 5, 6), w, 1, []int64{1, 1}, false)
		},
		"weight gradient": func(c *Scope) {
			c.Tensor("spikedhs::winograd_weight_gradient", x, s.Zeros(CPU(), 2, 4, 6, 6), w, 1, []int64{1, 1}, false)
		},
		"gradient's type": func(c *Scope) {
			c.Tensor("spikedhs::winograd_weight_gradient", x, s.Cast(s.Zeros(CPU(), 2, 5, 6, 6), BFloat16), w, 1, []int64{1, 1}, false)
		},
	} {
		c := NewInference()
		call(c)
		assert.ErrorContains(t, c.Err(), "winograd", name)
		_ = c.Close()
	}
}
