package graph

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// places calls visit for every number of a volume [b, 2c, planes, h, w] that is not 0 by
// definition: where it lies, and which of the views, left or right, has it where.
func places(b, c, h, w, planes int, visit func(at, view, from int)) {
	for n := range b {
		for k := range 2 * c {
			for i := range planes {
				for y := range h {
					for x := i; x < w; x++ {
						view, from := k/c, ((n*c+k%c)*h+y)*w+x
						visit((((n*2*c+k)*planes+i)*h+y)*w+x, view, from-view*i)
					}
				}
			}
		}
	}
}

// volumeOf is the volume by its definition.
func volumeOf(left, right []float64, b, c, h, w, planes int) []float64 {
	out, views := make([]float64, b*2*c*planes*h*w), [][]float64{left, right}
	places(b, c, h, w, planes, func(at, view, from int) { out[at] = views[view][from] })
	return out
}

// gradientOf are the gradients of sum(weight * volume).
func gradientOf(weight []float64, b, c, h, w, planes int) (left, right []float64) {
	views := [][]float64{make([]float64, b*c*h*w), make([]float64, b*c*h*w)}
	places(b, c, h, w, planes, func(at, view, from int) { views[view][from] += weight[at] })
	return views[0], views[1]
}

func numbers(n int, seed float64) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = math.Round(64*math.Sin(seed*float64(i+1))) / 64 // exact in bfloat16
	}
	return list
}

// volumeOracle is a volume of the views left and right of a size, B, C, H, W and planes, and
// the gradients of sum(weight * volume).
type volumeOracle struct {
	shape                                          []int64
	left, right, want, weight, wantLeft, wantRight []float64
}

func newVolumeOracle(size [5]int) volumeOracle {
	b, c, h, w, planes := size[0], size[1], size[2], size[3], size[4]
	v := volumeOracle{shape: []int64{int64(b), int64(c), int64(h), int64(w)}}
	v.left, v.right = numbers(b*c*h*w, 1.3), numbers(b*c*h*w, 2.1)
	v.want = volumeOf(v.left, v.right, b, c, h, w, planes)
	v.weight = numbers(len(v.want), 0.7)
	v.wantLeft, v.wantRight = gradientOf(v.weight, b, c, h, w, planes)
	return v
}

// The operator, its composed form and the emulated CUDA kernels against the
// definition, forward and backward, in all types and layouts.
func TestFeatureVolume(t *testing.T) {
	s := begin(t, 10)
	sizes := [][5]int{{2, 3, 4, 7, 5}, {1, 16, 3, 20, 9}, {2, 8, 2, 5, 8}, {3, 1, 1, 4, 6}, {1, 2, 2, 5, 1}}
	for _, size := range sizes {
		planes := size[4]
		v := newVolumeOracle(size)
		for _, dtype := range []int8{torch.Float64, torch.Float32, torch.BFloat16} {
			for _, last := range []bool{false, true} {
				name := fmt.Sprint(size, dtype, last)
				make2 := func(values []float64) torch.Tensor {
					x := s.Cast(torch.FromSlice(s, values, v.shape...), dtype)
					if last {
						x = s.ChannelsLast(x)
					}
					require.NoError(t, torch.RequireGradient(x, true))
					return x
				}
				left, right := make2(v.left), make2(v.right)
				volume := FeatureVolume(s, left, right, planes)
				grad := s.Cast(torch.FromSlice(s, v.weight, s.Shape(volume)...), dtype)
				require.Equal(t, v.want, read(t, volume), name)
				for _, other := range []string{"spikedhs::feature_volume_emulated", "spikedhs::feature_volume_composed"} {
					c := s.WithoutGradient()
					require.Equal(t, v.want, read(t, c.Tensor(other, left, right, planes)), name+other)
					require.NoError(t, c.Close())
				}
				tolerance := map[int8]float64{torch.Float64: 1e-12, torch.Float32: 1e-5, torch.BFloat16: 0.03}[dtype]
				check := func(grads []torch.Tensor, how string) {
					require.Len(t, grads, 2)
					require.InDeltaSlice(t, v.wantLeft, read(t, grads[0]), tolerance, name+how)
					require.InDeltaSlice(t, v.wantRight, read(t, grads[1]), tolerance, name+how)
				}
				loss := s.Sum(s.Mul(s.Cast(volume, torch.Float64), s.Cast(grad, torch.Float64)))
				check(s.GradientOf(loss, []torch.Tensor{left, right}), " autograd")
				n := s.WithoutGradient()
				results := n.Call("spikedhs::feature_volume_backward_emulated", grad, last)
				require.NoError(t, n.Err())
				check([]torch.Tensor{results[0].(torch.Tensor), results[1].(torch.Tensor)}, " emulated")
				require.NoError(t, n.Close())
			}
		}
	}
}

// The emulated CUDA kernels in float16, eight channels at a time and one by one.
func TestFeatureVolumeInFloat16(t *testing.T) {
	s := begin(t, 11).WithoutGradient()
	for _, size := range [][5]int{{2, 3, 4, 7, 5}, {1, 16, 3, 20, 9}, {2, 8, 2, 5, 8}} {
		planes := size[4]
		v := newVolumeOracle(size)
		for _, last := range []bool{false, true} {
			of := func(values []float64) torch.Tensor {
				x := s.Cast(torch.FromSlice(s, values, v.shape...), torch.Float16)
				if last {
					x = s.ChannelsLast(x)
				}
				return x
			}
			volume := s.Tensor("spikedhs::feature_volume_emulated", of(v.left), of(v.right), planes)
			require.Equal(t, v.want, read(t, volume), size)
			grad := s.Cast(torch.FromSlice(s, v.weight, s.Shape(volume)...), torch.Float16)
			grads := s.Call("spikedhs::feature_volume_backward_emulated", grad, last)
			require.NoError(t, s.Err())
			require.InDeltaSlice(t, v.wantLeft, read(t, grads[0].(torch.Tensor)), 0.004, size)
			require.InDeltaSlice(t, v.wantRight, read(t, grads[1].(torch.Tensor)), 0.004, size)
		}
	}
	require.NoError(t, s.Close())
}

func TestFeatureVolumeRefuses(t *testing.T) {
	begin(t, 11)
	for _, shapes := range [][2][]int64{{{1, 2, 3, 4}, {1, 2, 3, 5}}, {{2, 3, 4}, {2, 3, 4}}} {
		s := torch.NewScope()
		FeatureVolume(s, s.Zeros(torch.CPU(), shapes[0]...), s.Zeros(torch.CPU(), shapes[1]...), 2)
		require.Error(t, s.Err())
		assert.Contains(t, s.Err().Error(), "feature_volume: ")
		_ = s.Close()
	}
}

// Folding of views, steps and planes into the batch.
func TestFolding(t *testing.T) {
	s := begin(t, 12)
	left, right := s.Randn(torch.CPU(), 6, 3, 4, 7), s.Randn(torch.CPU(), 6, 3, 4, 7) // T = 3, N = 2
	both := views(s, left, right, 3)
	assert.Equal(t, read(t, s.Narrow(left, 0, 2, 2)), read(t, s.Narrow(both, 0, 4, 2)), "step 1, left")
	assert.Equal(t, read(t, s.Narrow(right, 0, 2, 2)), read(t, s.Narrow(both, 0, 6, 2)), "step 1, right")
	l, r := ApartViews(s, both, 3)
	assert.Equal(t, read(t, left), read(t, l))
	assert.Equal(t, read(t, right), read(t, r))

	folded := FoldedVolume(s, left, right, 5)
	v := s.Tensor("aten::permute", FeatureVolume(s, left, right, 5), []int64{0, 2, 1, 3, 4})
	assert.Equal(t, []int64{30, 6, 4, 7}, s.Shape(folded))
	assert.Equal(t, read(t, v), read(t, folded))
}

// Nearest interpolation over three dimensions is libtorch's, forward and backward.
func TestResize(t *testing.T) {
	s := begin(t, 13)
	for _, to := range []Grid{{11, 5, 4}, {6, 3, 7}, {21, 9, 8}, {3, 5, 8}, {24, 12, 8}} {
		from := Grid{11, 5, 8}
		x := s.Randn(torch.CPU(), 2*11, 3, 5, 8)
		require.NoError(t, torch.RequireGradient(x, true))
		have := Resize(s, x, from, to)
		unfold := func(x torch.Tensor, g Grid) torch.Tensor {
			x = s.Reshape(x, 2, int64(g.Planes), 3, int64(g.Height), int64(g.Width))
			return s.Tensor("aten::permute", x, []int64{0, 2, 1, 3, 4})
		}
		want := s.Tensor("aten::upsample_nearest3d", s.Contiguous(unfold(x, from)),
			[]int64{int64(to.Planes), int64(to.Height), int64(to.Width)})
		require.Equal(t, read(t, want), read(t, unfold(have, to)), to)
		weight := s.Randn(torch.CPU(), s.Shape(want)...)
		wantGrad := s.GradientOf(s.Sum(s.Mul(want, weight)), []torch.Tensor{x})[0]
		haveGrad := s.GradientOf(s.Sum(s.Mul(unfold(have, to), weight)), []torch.Tensor{x})[0]
		require.InDeltaSlice(t, read(t, wantGrad), read(t, haveGrad), 1e-5)
	}
}

// The convolution over folded planes is libtorch's over three dimensions, and so
// are its gradients.
func TestConvolutionOverPlanes(t *testing.T) {
	s := begin(t, 14)
	for _, kernel := range []int64{1, 3} {
		for _, planes := range []int{1, 2, 5} {
			v := torch.NewVariables(torch.CPU())
			conv := torch.NewConv3d(v.Root().Sub("conv"), 4, 6, torch.ConvOptions{Kernel: kernel, Padding: kernel / 2})
			x := s.Randn(torch.CPU(), 2, 4, int64(planes), 5, 7)
			require.NoError(t, torch.RequireGradient(x, true))
			want := conv.Forward(s, x)
			folded := s.Reshape(s.Tensor("aten::permute", x, []int64{0, 2, 1, 3, 4}), -1, 4, 5, 7)
			y := s.Reshape(conv.ForwardPlanes(s, folded, planes), 2, int64(planes), 6, 5, 7)
			have := s.Tensor("aten::permute", y, []int64{0, 2, 1, 3, 4})
			require.InDeltaSlice(t, read(t, want), read(t, have), 1e-5)
			weight := s.Randn(torch.CPU(), s.Shape(want)...)
			leaves := []torch.Tensor{x, conv.Weight, conv.Bias}
			a := s.GradientOf(s.Sum(s.Mul(want, weight)), leaves)
			b := s.GradientOf(s.Sum(s.Mul(have, weight)), leaves)
			for i := range leaves {
				require.InDeltaSlice(t, read(t, a[i]), read(t, b[i]), 1e-4, i)
			}
			require.NoError(t, v.Close())
		}
	}
}
