package torch

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gradientCase is a convolution whose weights get a gradient.
type gradientCase struct {
	batch, in, out, height, width, kernel, stride, pad int
}

func (c gradientCase) String() string {
	return fmt.Sprintf("N%d %d-%d %dx%d k%d s%d p%d", c.batch, c.in, c.out, c.height, c.width, c.kernel, c.stride, c.pad)
}

// Channels that fill tiles and do not, widths that are no pairs, strides, bands that
// an image does not fill, one image and many, every height of the tiles of outputs.
var gradientCases = []gradientCase{
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
}

func (c gradientCase) grid() (h, w int) {
	side := func(n int) int { return (n+2*c.pad-c.kernel)/c.stride + 1 }
	return side(c.height), side(c.width)
}

// gradient is the definition in float64.
func (c gradientCase) gradient(x, g array) array {
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
func (c gradientCase) tensors(rng *rand.Rand) (x, g array) {
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

// The tiles of the processor, where it has some, and plain loops in their place give
// the gradient that the definition gives, with any number of threads.
func TestConvWeightGradient(t *testing.T) {
	before := Threads()
	defer func() { require.NoError(t, SetThreads(before)) }()
	for i, c := range gradientCases {
		t.Run(c.String(), func(t *testing.T) {
			s := NewInference()
			defer s.Close()
			x, g := c.tensors(rand.New(rand.NewSource(int64(i))))
			want := c.gradient(x, g)
			weight := s.Cast(s.Zeros(CPU(), want.shape...), BFloat16)
			half := func(a array) Tensor { return s.Cast(s.ChannelsLast(a.tensor(s)), BFloat16) }
			for _, threads := range []int{1, 2, 3, 7} {
				require.NoError(t, SetThreads(threads))
				for _, name := range []string{"conv_weight_gradient", "conv_weight_gradient_plain"} {
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
}

// float32 goes to libtorch.
func TestConvWeightGradientInFloat32(t *testing.T) {
	s := NewInference()
	defer s.Close()
	c := gradientCases[2]
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
