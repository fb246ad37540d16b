package torch

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stackOf is depth_stack by its definition, of x [n*planes, c, h, w] in C order.
func stackOf(x []float64, n, planes, c, h, w int) []float64 {
	plane := c * h * w
	out := make([]float64, 3*len(x))
	for image := range n {
		for d := range planes {
			for tap := range 3 {
				if from := d + tap - 1; from >= 0 && from < planes {
					to := ((image*planes+d)*3 + tap) * plane
					copy(out[to:to+plane], x[(image*planes+from)*plane:])
				}
			}
		}
	}
	return out
}

// stackGradientOf is the gradient of x in sum(weight * stackOf(x)).
func stackGradientOf(weight []float64, n, planes, c, h, w int) []float64 {
	plane := c * h * w
	out := make([]float64, len(weight)/3)
	for image := range n {
		for d := range planes {
			for tap := range 3 {
				if from := d + tap - 1; from >= 0 && from < planes {
					for i := range plane {
						out[(image*planes+from)*plane+i] += weight[((image*planes+d)*3+tap)*plane+i]
					}
				}
			}
		}
	}
	return out
}

// The CPU's loops and the emulated CUDA kernels against the definition; both round
// alike, to the bit.
func TestDepthStack(t *testing.T) {
	rng := rand.New(rand.NewSource(3))
	for _, size := range [][5]int{{2, 3, 5, 3, 4}, {1, 4, 8, 2, 3}, {2, 1, 24, 2, 2}, {1, 2, 16, 1, 1}, {3, 5, 12, 2, 1}} {
		n, planes, c, h, w := size[0], size[1], size[2], size[3], size[4]
		shape := []int64{int64(n * planes), int64(c), int64(h), int64(w)}
		x, weight := make([]float64, n*planes*c*h*w), make([]float64, 3*n*planes*c*h*w)
		for _, list := range [][]float64{x, weight} {
			for i := range list {
				list[i] = float64(rng.Intn(129)-64) / 64 // exact in every type
			}
		}
		wantStack, wantGradient := stackOf(x, n, planes, c, h, w), stackGradientOf(weight, n, planes, c, h, w)
		for _, dtype := range []int8{Float32, Float64, BFloat16, Float16} {
			for _, last := range []bool{false, true} {
				what := fmt.Sprint(size, dtype, last)
				s := NewInference()
				of := func(values []float64, shape ...int64) Tensor {
					v := s.Cast(FromSlice(s, values, shape...), dtype)
					if last {
						v = s.ChannelsLast(v)
					}
					return v
				}
				value := func(v Tensor) []float64 {
					list, err := ToSlice[float64](s.Contiguous(s.Cast(v, Float64)))
					require.NoError(t, err)
					require.NoError(t, s.Err())
					return list
				}
				in, grad := of(x, shape...), of(weight, shape[0], 3*shape[1], shape[2], shape[3])
				stack := s.Tensor("spikedhs::depth_stack_emulated", in, planes)
				require.Equal(t, wantStack, value(stack), what)
				gradient := s.Tensor("spikedhs::depth_stack_backward_emulated", grad, planes)
				tolerance := map[int8]float64{BFloat16: 1.0 / 64, Float16: 1.0 / 512}[dtype]
				require.InDeltaSlice(t, wantGradient, value(gradient), tolerance, what)
				if dtype != Float16 {
					require.Equal(t, value(s.Tensor("spikedhs::depth_stack", in, planes)), value(stack), what)
					require.Equal(t, value(s.Tensor("spikedhs::depth_stack_backward", grad, planes)), value(gradient), what)
				}
				require.NoError(t, s.Close())
			}
		}
	}
}

// The composed form of augment, for CUDA devices without our kernels, is the CPU's to
// the bit, whatever lies outside of the stored images.
func TestAugmentComposed(t *testing.T) {
	rng := rand.New(rand.NewSource(4))
	const stored, batch, c, h, w = 7, 60, 3, 6, 5
	s := NewInference()
	pixels := make([]uint8, stored*c*h*w)
	for i := range pixels {
		pixels[i] = uint8(rng.Intn(256))
	}
	values := make([]float32, c*256)
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	index, choices := make([]int64, batch), make([]int32, 0, 5*batch)
	for i := range index {
		index[i] = int64(rng.Intn(stored))
		corner := []int32{int32(rng.Intn(20) - 10), int32(rng.Intn(20) - 10)}
		centre := []int32{int32(rng.Intn(12) - 2), int32(rng.Intn(12) - 2)}
		choices = append(choices, corner[0], corner[1], int32(rng.Intn(2)), centre[0], centre[1])
	}
	images := FromSlice(s, pixels, stored, c, h, w)
	drawn := FromSlice(s, choices, batch, 5)
	tables := FromSlice(s, values, c, 256)
	for _, size := range [][2]int{{h, w}, {9, 8}, {2, 3}} {
		for _, cutout := range []int{0, 1, 3, 4, 40} {
			arguments := []any{images, FromSlice(s, index, batch), drawn, tables, size[0], size[1], cutout}
			want, err := ToSlice[float32](s.Tensor("spikedhs::augment", arguments...))
			require.NoError(t, err)
			have, err := ToSlice[float32](s.Tensor("spikedhs::augment_composed", arguments...))
			require.NoError(t, err)
			require.Equal(t, want, have, fmt.Sprint(size, cutout))
		}
	}
	// What does not exist is NaN: looking at the index would make a GPU wait.
	some := FromSlice(s, []int64{0, stored, -1}, 3)
	arguments := []any{images, some, s.Narrow(drawn, 0, 0, 3), tables, h, w, 0}
	have, err := ToSlice[float32](s.Tensor("spikedhs::augment_composed", arguments...))
	require.NoError(t, err)
	for i, v := range have {
		assert.Equal(t, i >= c*h*w, math.IsNaN(float64(v)), "element %d", i)
	}
	require.NoError(t, s.Close())
}
