package torch

import (
	"fmt"
	"math"
	"math/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// convCase is a convolution in bfloat16.
type convCase struct {
	batch, in, out, height, width, kernel, stride, pad int
}

func (c convCase) String() string {
	return fmt.Sprintf("N%d %d-%d %dx%d k%d s%d p%d", c.batch, c.in, c.out, c.height, c.width, c.kernel, c.stride, c.pad)
}

// Channels that fill tiles and do not, widths that are no pairs, strides, bands that
// an image does not fill, one image and many, every height of the tiles of outputs.
var convCases = []convCase{
	{1, 1, 1, 1, 1, 1, 1, 0},
	{1, 1, 1, 1, 1, 3, 1, 1},
	{2, 3, 5, 7, 9, 3, 1, 1},
	{3, 16, 16, 8, 8, 3, 1, 1},
	{2, 20, 33, 6, 5, 3, 2, 1},
	{5, 17, 50, 9, 4, 3, 2, 1},
	{2, 48, 64, 4, 4, 3, 1, 1},
	{7, 40, 81, 3, 3, 3, 1, 1},
	{1, 33, 16, 40, 70, 3, 1, 1},
	{2, 18, 20, 33, 37, 3, 2, 1},
	{3, 19, 7, 6, 6, 1, 1, 0},
	{2, 20, 9, 7, 8, 1, 2, 0},
	{2, 5, 6, 9, 9, 5, 1, 2},
	{2, 6, 5, 9, 11, 5, 3, 2},
	{2, 6, 5, 8, 7, 3, 1, 0},
	{2, 150, 20, 5, 6, 3, 1, 1},
	{1, 2, 3, 5, 1100, 3, 1, 1},
	{1, 40, 19, 70, 90, 3, 2, 1},
	{3, 32, 40, 10, 10, 3, 1, 1},
	{2, 4, 5, 9, 8, 1, 3, 0},
	{1, 384, 34, 5, 6, 3, 1, 1}, // channels in turn
	{1, 20, 416, 4, 5, 3, 2, 1},
	{2, 24, 40, 8, 8, 3, 1, 1},   // five tiles of positions
	{1, 32, 49, 16, 16, 3, 1, 1}, // each row begins a tile
	{1, 3, 4, 9, 8, 7, 1, 3},
}

func (c convCase) grid() (h, w int) {
	side := func(n int) int { return (n+2*c.pad-c.kernel)/c.stride + 1 }
	return side(c.height), side(c.width)
}

// libtorchAddsHalves tells whether libtorch 1.13 adds in bfloat16, as it does on
// processors that have no instructions for it: far off, and nothing of ours.
func libtorchAddsHalves() bool { return !FastBFloat16() }

// gradient is the definition in float64.
func (c convCase) gradient(x, g array) array {
	h, w := c.grid()
	return compute([]int64{int64(c.out), int64(c.in), int64(c.kernel), int64(c.kernel)}, func(i []int64) float64 {
		var sum float64
		for n := range c.batch {
			for oy := range h {
				for ox := range w {
					y, x0 := oy*c.stride+int(i[2])-c.pad, ox*c.stride+int(i[3])-c.pad
					if y < 0 || y >= c.height || x0 < 0 || x0 >= c.width {
						continue
					}
					sum += g.data[((n*c.out+int(i[0]))*h+oy)*w+ox] * x.data[((n*c.in+int(i[1]))*c.height+y)*c.width+x0]
				}
			}
		}
		return sum
	})
}

// tensors draws spikes and gradients that are multiples of 1/8, so that float32 sums
// are exact in any order.
func (c convCase) tensors(rng *rand.Rand) (x, g array) {
	h, w := c.grid()
	x = array{shape: []int64{int64(c.batch), int64(c.in), int64(c.height), int64(c.width)}}
	for range c.batch * c.in * c.height * c.width {
		x.data = append(x.data, float64(rng.Intn(2)))
	}
	g = array{shape: []int64{int64(c.batch), int64(c.out), int64(h), int64(w)}}
	for range c.batch * c.out * h * w {
		g.data = append(g.data, float64(rng.Intn(33)-16)/8)
	}
	return x, g
}

// forward is the convolution with weights w in float64.
func (c convCase) forward(x, w, bias array) array {
	h, wide := c.grid()
	return compute([]int64{int64(c.batch), int64(c.out), int64(h), int64(wide)}, func(i []int64) float64 {
		sum := bias.data[i[1]]
		c.taps(i, func(y, x0, kh, kw int) {
			for in := range c.in {
				sum += x.data[((int(i[0])*c.in+in)*c.height+y)*c.width+x0] * w.data[((int(i[1])*c.in+in)*c.kernel+kh)*c.kernel+kw]
			}
		})
		return sum
	})
}

// backward is the gradient of x in float64, output by output.
func (c convCase) backward(g, w array) array {
	sum := array{shape: []int64{int64(c.batch), int64(c.in), int64(c.height), int64(c.width)}}
	sum.data = make([]float64, c.batch*c.in*c.height*c.width)
	at := 0
	eachIndex(g.shape, func(i []int64) {
		c.taps(i, func(y, x0, kh, kw int) {
			for in := range c.in {
				sum.data[((int(i[0])*c.in+in)*c.height+y)*c.width+x0] += g.data[at] * w.data[((int(i[1])*c.in+in)*c.kernel+kh)*c.kernel+kw]
			}
		})
		at++
	})
	return sum
}

// taps visits the pixels (y, x) that output i reads, and under which tap.
func (c convCase) taps(i []int64, visit func(y, x, kh, kw int)) {
	for kh := range c.kernel {
		for kw := range c.kernel {
			y, x := int(i[2])*c.stride+kh-c.pad, int(i[3])*c.stride+kw-c.pad
			if y >= 0 && y < c.height && x >= 0 && x < c.width {
				visit(y, x, kh, kw)
			}
		}
	}
}

// eachConv runs a check for every convolution, which may set the number of threads;
// before is what it was.
func eachConv(t *testing.T, check func(t *testing.T, s *Scope, i int, c convCase, before int)) {
	needKernels(t, "gradients")
	before := Threads()
	defer func() { require.NoError(t, SetThreads(before)) }()
	for i, c := range convCases {
		t.Run(c.String(), func(t *testing.T) {
			s := NewInference()
			defer s.Close()
			check(t, s, i, c, before)
		})
	}
}

// asHalf is a number rounded to bfloat16, ties to even.
func asHalf(v float64) float32 {
	bits := math.Float32bits(float32(v))
	return math.Float32frombits((bits + 0x7fff + bits>>16&1) &^ 0xffff)
}

// The tiles of the processor, where it has some, and plain loops in their place give
// what the definitions give, with any number of threads.
func TestConvolutionsInBFloat16(t *testing.T) {
	eachConv(t, func(t *testing.T, s *Scope, i int, c convCase, before int) {
		rng := rand.New(rand.NewSource(int64(i)))
		x, g := c.tensors(rng)
		eighths := func(shape ...int64) array {
			return compute(shape, func([]int64) float64 { return float64(rng.Intn(17)-8) / 8 })
		}
		w, bias := eighths(int64(c.out), int64(c.in), int64(c.kernel), int64(c.kernel)), eighths(int64(c.out))
		y, gradient := c.forward(x, w, bias), c.backward(g, w)
		half := func(a array) Tensor { return s.Cast(s.ChannelsLast(a.tensor(s)), BFloat16) }
		agree := func(name string, want array, got Tensor) {
			t.Helper()
			data, err := ToSlice[float32](s.Contiguous(s.Cast(got, Float32)))
			require.NoError(t, err)
			require.Equal(t, want.shape, s.Shape(got))
			for k, v := range want.data {
				if !strings.HasSuffix(name, "_plain") && !MatrixTiles() { // libtorch's, which may add in bfloat16
					require.InDelta(t, v, data[k], 0.1+math.Abs(v)/32, "%s, element %d", name, k)
					continue
				}
				require.Equal(t, asHalf(v), data[k], "%s, element %d", name, k)
			}
		}
		pad := []int64{int64(c.pad), int64(c.pad)}
		for _, threads := range []int{1, 2, 3} {
			require.NoError(t, SetThreads(threads))
			for _, kind := range []string{"", "_plain"} {
				if threads > before && kind == "" {
					continue
				}
				if kind == "" && libtorchAddsHalves() {
					continue
				}
				agree("forward"+kind, y, s.Tensor("spikedhs::conv_forward"+kind, half(x), half(w), s.Cast(bias.tensor(s), BFloat16), c.stride, pad))
				agree("gradient"+kind, gradient, s.Tensor("spikedhs::conv_input_gradient"+kind, half(x), half(g), half(w), c.stride, pad))
			}
		}
		require.NoError(t, s.Err())
	})
}

// Weights in bfloat16, channels last, are what a cast and a copy make of them.
func TestConvWeight(t *testing.T) {
	needKernels(t, "gradients")
	rng := rand.New(rand.NewSource(1))
	for _, shape := range [][]int64{{1, 1, 1, 1}, {3, 5, 3, 3}, {7, 16, 1, 1}, {2, 33, 5, 5}, {4, 50, 3, 3}, {2, 48, 7, 7}, {1, 3, 2, 4}} {
		s := NewInference()
		w := compute(shape, func([]int64) float64 { return rng.NormFloat64() }).tensor(s)
		want, err := ToSlice[float32](s.Cast(s.Contiguous(s.Cast(w, BFloat16)), Float32))
		require.NoError(t, err)
		for _, name := range []string{"spikedhs::conv_weight", "spikedhs::conv_weight_plain"} {
			got := s.Tensor(name, w)
			assert.Equal(t, shape, s.Shape(got))
			data, err := ToSlice[float32](s.Cast(s.Contiguous(got), Float32))
			require.NoError(t, err)
			assert.Equal(t, want, data, "%s of %v", name, shape)
		}
		s.Tensor("spikedhs::conv_weight_plain", s.Cast(w, BFloat16))
		assert.ErrorContains(t, s.Err(), "conv_weight")
		_ = s.Close()
	}
}

func TestConvolutionsRefuseShapes(t *testing.T) {
	needKernels(t, "gradients")
	s := NewInference()
	defer s.Close()
	x, w := s.Zeros(CPU(), 2, 3, 4, 4), s.Zeros(CPU(), 5, 3, 3, 3)
	for name, call := range map[string]func(c *Scope){
		"channels": func(c *Scope) {
			c.Tensor("spikedhs::conv_forward", s.Zeros(CPU(), 2, 4, 4, 4), w, nil, 1, []int64{1, 1})
		},
		"small": func(c *Scope) {
			c.Tensor("spikedhs::conv_forward", s.Zeros(CPU(), 2, 3, 2, 2), w, nil, 1, []int64{0, 0})
		},
		"stride":    func(c *Scope) { c.Tensor("spikedhs::conv_forward", x, w, nil, 0, []int64{1, 1}) },
		"dimension": func(c *Scope) { c.Tensor("spikedhs::conv_forward", s.Zeros(CPU(), 3, 4, 4), w, nil, 1, []int64{1, 1}) },
		"gradient": func(c *Scope) {
			c.Tensor("spikedhs::conv_input_gradient", x, s.Zeros(CPU(), 2, 5, 3, 4), w, 1, []int64{1, 1})
		},
		"type": func(c *Scope) { c.Tensor("spikedhs::conv_forward_plain", x, w, nil, 1, []int64{1, 1}) },
	} {
		c := NewInference()
		call(c)
		assert.ErrorContains(t, c.Err(), "conv", name)
		_ = c.Close()
	}
	y := s.Tensor("spikedhs::conv_forward", x, w, nil, 1, []int64{1, 1})
	assert.Equal(t, []int64{2, 5, 4, 4}, s.Shape(y), "float32")
}

// The tiles of the processor, where it has some, and plain loops in their place give
// the gradient that the definition gives, with any number of threads.
func TestConvWeightGradient(t *testing.T) {
	eachConv(t, func(t *testing.T, s *Scope, i int, c convCase, before int) {
		x, g := c.tensors(rand.New(rand.NewSource(int64(i))))
		want := c.gradient(x, g)
		weight := s.Cast(s.Zeros(CPU(), want.shape...), BFloat16)
		half := func(a array) Tensor { return s.Cast(s.ChannelsLast(a.tensor(s)), BFloat16) }
		for _, threads := range []int{1, 2, 3, 7} {
			require.NoError(t, SetThreads(threads))
			for _, name := range []string{"conv_weight_gradient", "conv_weight_gradient_plain"} {
				if threads > before && name == "conv_weight_gradient" {
					continue // oneDNN's threads wait for each other and need a core each
				}
				if name == "conv_weight_gradient" && !MatrixTiles() && c.width > 1000 {
					continue // oneDNN 2.6 does not return from this one on a processor with AMX
				}
				if name == "conv_weight_gradient" && libtorchAddsHalves() {
					continue
				}
				got := s.Tensor("spikedhs::"+name, half(x), half(g), weight, c.stride, []int64{int64(c.pad), int64(c.pad)})
				require.NoError(t, s.Err())
				data, err := ToSlice[float32](got)
				require.NoError(t, err)
				assert.Equal(t, want.shape, s.Shape(got))
				for k, v := range want.data {
					if name == "conv_weight_gradient" && !MatrixTiles() { // libtorch's, of bfloat16
						require.InDelta(t, v, data[k], math.Abs(v)/128, "element %d", k)
						continue
					}
					require.Equal(t, float32(v), data[k], "%s, %d threads, element %d", name, threads, k)
				}
			}
		}
	})
}

// Sums of numbers that round have the same bits with any number of threads.
func TestConvWeightGradientDoesNotDependOnThreads(t *testing.T) {
	needKernels(t, "gradients")
	before := Threads()
	defer func() { require.NoError(t, SetThreads(before)) }()
	names := []string{"spikedhs::conv_weight_gradient_plain"}
	if MatrixTiles() {
		names = append(names, "spikedhs::conv_weight_gradient")
	}
	for _, c := range []convCase{{9, 50, 20, 9, 8, 3, 1, 1}, {3, 150, 17, 7, 7, 3, 2, 1}, {1, 8, 8, 70, 60, 3, 1, 1}} {
		s := NewInference()
		require.NoError(t, Seed(5))
		h, w := c.grid()
		half := func(shape ...int64) Tensor { return s.Cast(s.ChannelsLast(s.Randn(CPU(), shape...)), BFloat16) }
		x := half(int64(c.batch), int64(c.in), int64(c.height), int64(c.width))
		g := half(int64(c.batch), int64(c.out), int64(h), int64(w))
		weight := half(int64(c.out), int64(c.in), int64(c.kernel), int64(c.kernel))
		for _, name := range names {
			var want []float32
			for _, threads := range []int{1, 2, 3, 16} {
				require.NoError(t, SetThreads(threads))
				got := s.Tensor(name, x, g, weight, c.stride, []int64{int64(c.pad), int64(c.pad)})
				require.NoError(t, s.Err())
				data, err := ToSlice[float32](got)
				require.NoError(t, err)
				if want == nil {
					want = data
				}
				require.Equal(t, want, data, "%s of %v, %d threads", name, c, threads)
			}
		}
		_ = s.Close()
	}
}

// Few channels in float32 go to libtorch.
func TestConvWeightGradientInFloat32(t *testing.T) {
	needKernels(t, "gradients")
	s := NewInference()
	defer s.Close()
	c := convCases[2]
	x, g := c.tensors(rand.New(rand.NewSource(1)))
	want := c.gradient(x, g)
	got := s.Tensor("spikedhs::conv_weight_gradient", x.tensor(s), g.tensor(s), s.Zeros(CPU(), want.shape...), 1, []int64{1, 1})
	data, err := ToSlice[float32](got)
	require.NoError(t, err)
	for k, v := range want.data {
		require.InDelta(t, v, data[k], 1e-4)
	}
}

func TestConvWeightGradientRefusesShapes(t *testing.T) {
	needKernels(t, "gradients")
	zeros := func(s *Scope, shape ...int64) Tensor { return s.Cast(s.Zeros(CPU(), shape...), BFloat16) }
	for name, call := range map[string]func(s *Scope) (x, g, w Tensor){
		"channels of the input": func(s *Scope) (x, g, w Tensor) {
			return zeros(s, 2, 3, 4, 4), zeros(s, 2, 5, 4, 4), zeros(s, 5, 4, 3, 3)
		},
		"channels of the output": func(s *Scope) (x, g, w Tensor) {
			return zeros(s, 2, 3, 4, 4), zeros(s, 2, 5, 4, 4), zeros(s, 6, 3, 3, 3)
		},
		"images": func(s *Scope) (x, g, w Tensor) {
			return zeros(s, 2, 3, 4, 4), zeros(s, 1, 5, 4, 4), zeros(s, 5, 3, 3, 3)
		},
		"grid": func(s *Scope) (x, g, w Tensor) {
			return zeros(s, 2, 3, 4, 4), zeros(s, 2, 5, 4, 3), zeros(s, 5, 3, 3, 3)
		},
		"dimensions": func(s *Scope) (x, g, w Tensor) { return zeros(s, 2, 3, 4), zeros(s, 2, 5, 4), zeros(s, 5, 3, 3) },
	} {
		s := NewInference()
		x, g, w := call(s)
		require.NoError(t, s.Err())
		s.Tensor("spikedhs::conv_weight_gradient", x, g, w, 1, []int64{1, 1})
		assert.ErrorContains(t, s.Err(), "conv_weight_gradient", name)
		_ = s.Close()
	}
}
