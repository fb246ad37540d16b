package torch

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// convolve is a convolution over any number of dimensions by its definition:
// out[n, o, p] = bias[o] + sum over c, k of x[n, c, p*stride+k-padding] w[o, c, k].
func convolve(x, w array, bias []float64, stride, padding int64) array {
	shape := []int64{x.shape[0], w.shape[0]}
	for d := 2; d < len(x.shape); d++ {
		shape = append(shape, (x.shape[d]+2*padding-w.shape[d])/stride+1)
	}
	from := make([]int64, len(x.shape))
	return compute(shape, func(at []int64) float64 {
		sum := 0.0
		if bias != nil {
			sum = bias[at[1]]
		}
		eachIndex(w.shape[1:], func(k []int64) {
			from[0], from[1] = at[0], k[0]
			for d := 2; d < len(from); d++ {
				from[d] = at[d]*stride + k[d-1] - padding
				if from[d] < 0 || from[d] >= x.shape[d] {
					return
				}
			}
			sum += x.at(from...) * w.at(append([]int64{at[1]}, k...)...)
		})
		return sum
	})
}

func TestConvolutions(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	image, volume := random(rng, 2, 3, 7, 6), random(rng, 2, 3, 5, 4, 6)
	for _, c := range []struct {
		x      array
		layer  func(Path, int64, int64, ConvOptions) *Conv
		o      ConvOptions
		kernel int64
	}{
		{image, NewConv2d, ConvOptions{}, 1},
		{image, NewConv2d, ConvOptions{Kernel: 3, Padding: 1}, 3},
		{image, NewConv2d, ConvOptions{Kernel: 3, Stride: 2, Padding: 1}, 3},
		{image, NewConv2d, ConvOptions{Kernel: 5, Stride: 3, Padding: 2, NoBias: true}, 5},
		{volume, NewConv3d, ConvOptions{Kernel: 3, Padding: 1}, 3},
		{volume, NewConv3d, ConvOptions{Kernel: 3, Stride: 2, Padding: 1, NoBias: true}, 3},
		{volume, NewConv3d, ConvOptions{Stride: 2}, 1},
	} {
		t.Run(fmt.Sprintf("%dD %+v", len(c.x.shape)-2, c.o), func(t *testing.T) {
			assertLive(t)
			s := NewScope()
			defer s.Close()
			v := NewVariables(CPU())
			defer v.Close()
			layer := c.layer(v.Root().Sub("conv"), 3, 4, c.o)
			require.NoError(t, v.Err())
			weight := read(t, layer.Weight)
			var bias []float64
			if !c.o.NoBias {
				bias = read(t, layer.Bias).data
				assert.NotZero(t, bias[0])
			} else {
				assert.False(t, Defined(layer.Bias))
			}
			assert.Equal(t, c.kernel, weight.shape[2])
			stride := max(c.o.Stride, 1)
			want := convolve(c.x, weight, bias, stride, c.o.Padding)
			assertClose(t, want, layer.Forward(s, c.x.tensor(s)), 1e-5)
			if len(c.x.shape) == 4 {
				assertClose(t, want, layer.Forward(s, s.ChannelsLast(c.x.tensor(s))), 1e-5)
			}
		})
	}
}

func TestLinear(t *testing.T) {
	s := NewScope()
	defer s.Close()
	v := NewVariables(CPU())
	defer v.Close()
	layer := NewLinear(v.Root().Sub("head"), 6, 4)
	require.NoError(t, v.Err())
	w, b := read(t, layer.Weight), read(t, layer.Bias)
	require.Equal(t, []int64{4, 6}, w.shape)
	x := random(rand.New(rand.NewSource(2)), 5, 6)
	assertClose(t, compute([]int64{5, 4}, func(i []int64) float64 {
		sum := b.at(i[1])
		for k := range int64(6) {
			sum += x.at(i[0], k) * w.at(i[1], k)
		}
		return sum
	}), layer.Forward(s, x.tensor(s)), 1e-6)

	layer.Forward(s, s.Zeros(CPU(), 5, 7))
	assert.ErrorContains(t, s.Err(), "head: torch: aten::linear:")
}

// normOracle is batch normalisation by loops, with its running statistics.
type normOracle struct{ weight, bias, mean, variance []float64 }

// train normalises by the batch's own statistics (biased variance) and moves
// the running ones by a tenth of the way (unbiased variance).
func (o *normOracle) train(x array) array {
	channels := x.shape[1]
	n := float64(len(x.data)) / float64(channels)
	mean, variance := make([]float64, channels), make([]float64, channels)
	eachIndex(x.shape, func(i []int64) { mean[i[1]] += x.at(i...) / n })
	eachIndex(x.shape, func(i []int64) { variance[i[1]] += math.Pow(x.at(i...)-mean[i[1]], 2) / n })
	for c := range channels {
		o.mean[c] += 0.1 * (mean[c] - o.mean[c])
		o.variance[c] += 0.1 * (variance[c]*n/(n-1) - o.variance[c])
	}
	return o.apply(x, mean, variance)
}

func (o *normOracle) apply(x array, mean, variance []float64) array {
	return compute(x.shape, func(i []int64) float64 {
		c := i[1]
		return (x.at(i...)-mean[c])/math.Sqrt(variance[c]+1e-5)*o.weight[c] + o.bias[c]
	})
}

// newNorm makes a layer with uneven affine parameters, and its oracle.
func newNorm(t *testing.T, v *Variables, channels int64) (*BatchNorm, *normOracle) {
	t.Helper()
	layer := NewBatchNorm(v.Root().Sub("bn"), channels)
	require.NoError(t, v.Err())
	o := &normOracle{}
	for c := range channels {
		o.weight = append(o.weight, 0.5+float64(c)/4)
		o.bias = append(o.bias, float64(c)/8-0.25)
		o.mean = append(o.mean, 0)
		o.variance = append(o.variance, 1)
	}
	s := NewInference()
	defer s.Close()
	s.CopyTo(layer.Weight, vector(o.weight...).tensor(s))
	s.CopyTo(layer.Bias, vector(o.bias...).tensor(s))
	require.NoError(t, s.Err())
	return layer, o
}

func TestBatchNorm(t *testing.T) {
	for _, shape := range [][]int64{{6, 3}, {4, 3, 5, 2}, {2, 3, 2, 3, 4}} {
		t.Run(fmt.Sprint(shape), func(t *testing.T) {
			assertLive(t)
			rng := rand.New(rand.NewSource(3))
			s := NewScope()
			defer s.Close()
			v := NewVariables(CPU())
			defer v.Close()
			layer, o := newNorm(t, v, 3)
			for range 3 {
				x := random(rng, shape...)
				assertClose(t, o.train(x), layer.Forward(s, x.tensor(s), Train), 1e-5)
				assertClose(t, vector(o.mean...), layer.Mean, 1e-6)
				assertClose(t, vector(o.variance...), layer.Variance, 1e-6)
			}
			x := random(rng, shape...)
			mean, variance := bits(t, layer.Mean), bits(t, layer.Variance)
			assertClose(t, o.apply(x, o.mean, o.variance), layer.Forward(s, x.tensor(s), Evaluate), 1e-5)
			assert.Equal(t, mean, bits(t, layer.Mean), "evaluation changes no statistics")
			assert.Equal(t, variance, bits(t, layer.Variance))
		})
	}
}

func TestFoldIsTheSameFunction(t *testing.T) {
	for name, noBias := range map[string]bool{"with bias": false, "without bias": true} {
		t.Run("convolution "+name, func(t *testing.T) {
			assertLive(t)
			s := NewScope()
			defer s.Close()
			v := NewVariables(CPU())
			defer v.Close()
			conv := NewConv2d(v.Root().Sub("conv"), 2, 3, ConvOptions{Kernel: 3, Padding: 1, NoBias: noBias})
			norm, o := newNorm(t, v, 3)
			x := random(rand.New(rand.NewSource(4)), 4, 2, 5, 5)
			tx := x.tensor(s)
			norm.Forward(s, conv.Forward(s, tx), Train) // uneven statistics
			weight, bias := norm.Fold(s, conv.Weight, conv.Bias)
			require.NoError(t, s.Err())

			gain := make([]float64, 3)
			offset := make([]float64, 3)
			running := [2]array{read(t, norm.Mean), read(t, norm.Variance)}
			for c := range gain {
				gain[c] = o.weight[c] / math.Sqrt(running[1].data[c]+1e-5)
				before := 0.0
				if !noBias {
					before = read(t, conv.Bias).data[c]
				}
				offset[c] = (before-running[0].data[c])*gain[c] + o.bias[c]
			}
			w := read(t, conv.Weight)
			assertClose(t, compute(w.shape, func(i []int64) float64 { return w.at(i...) * gain[i[0]] }), weight, 1e-6)
			assertClose(t, vector(offset...), bias, 1e-6)

			unfolded := norm.Forward(s, conv.Forward(s, tx), Evaluate)
			folded := (&Conv{Weight: weight, Bias: bias, Options: conv.Options, dims: 2}).Forward(s, tx)
			assertClose(t, read(t, unfolded), folded, 1e-5)
		})
	}
	t.Run("linear", func(t *testing.T) {
		s := NewScope()
		defer s.Close()
		v := NewVariables(CPU())
		defer v.Close()
		linear := NewLinear(v.Root().Sub("linear"), 4, 3)
		norm, _ := newNorm(t, v, 3)
		x := random(rand.New(rand.NewSource(5)), 8, 4).tensor(s)
		norm.Forward(s, linear.Forward(s, x), Train)
		weight, bias := norm.Fold(s, linear.Weight, linear.Bias)
		want := norm.Forward(s, linear.Forward(s, x), Evaluate)
		assertClose(t, read(t, want), (&Linear{Weight: weight, Bias: bias}).Forward(s, x), 1e-5)
	})
}

func TestInits(t *testing.T) {
	require.NoError(t, Seed(7))
	s := NewScope()
	defer s.Close()
	moments := func(x Tensor) (low, high, mean, deviation float64) {
		a := read(t, x)
		low, high = math.Inf(1), math.Inf(-1)
		for _, v := range a.data {
			low, high = math.Min(low, v), math.Max(high, v)
			mean += v / float64(len(a.data))
		}
		for _, v := range a.data {
			deviation += (v - mean) * (v - mean) / float64(len(a.data))
		}
		return low, high, mean, math.Sqrt(deviation)
	}
	low, high, mean, deviation := moments(Uniform(0.5)(s, CPU(), []int64{100, 100}))
	assert.GreaterOrEqual(t, low, -0.5)
	assert.Less(t, low, -0.49)
	assert.Less(t, high, 0.5)
	assert.Greater(t, high, 0.49)
	assert.InDelta(t, 0, mean, 0.01)
	assert.InDelta(t, 0.5/math.Sqrt(3), deviation, 0.01)

	_, _, mean, deviation = moments(Normal(2)(s, CPU(), []int64{100, 100}))
	assert.InDelta(t, 0, mean, 0.1)
	assert.InDelta(t, 2, deviation, 0.05)

	_, high, _, _ = moments(FanIn(16)(s, CPU(), []int64{1000}))
	assert.InDelta(t, 0.25, high, 0.005)
	assertClose(t, vector(3, 3), Constant(3)(s, CPU(), []int64{2}), 0)
	assertClose(t, array{[]int64{2, 2}, []float64{1, 2, 3, 4}}, Values(1, 2, 3, 4)(s, CPU(), []int64{2, 2}), 0)
	require.NoError(t, s.Err())
	Values(1, 2)(s, CPU(), []int64{3})
	assert.ErrorContains(t, s.Err(), "needs 3 values, got 2")
}

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
