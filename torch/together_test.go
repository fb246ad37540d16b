package torch

import (
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// strides are how many elements apart neighbours lie in memory, by dimension: read off
// the values of a tensor that holds its own places, seen through the strides of x.
func strides(t *testing.T, x Tensor) []int64 {
	t.Helper()
	s := NewInference()
	defer s.Close()
	shape := s.Shape(x)
	places := s.Tensor("aten::empty_like", x)
	elements := int64(1)
	for _, n := range shape {
		elements *= n
	}
	flat := s.Tensor("aten::as_strided", places, []int64{elements}, []int64{1})
	s.CopyTo(flat, s.Tensor("aten::arange", float64(elements)))
	require.NoError(t, s.Err())
	have := read(t, places)
	list := make([]int64, len(shape))
	for dim := range shape {
		if shape[dim] > 1 {
			index := make([]int64, len(shape))
			index[dim] = 1
			list[dim] = int64(have.at(index...))
		}
	}
	return list
}

// parameters of several shapes, layouts, and one that is a number.
func someLeaves(t *testing.T, s *Scope, rng *rand.Rand) []Tensor {
	t.Helper()
	list := []Tensor{
		random(rng, 2, 3, 2, 2).tensor(s), s.ChannelsLast(random(rng, 4, 3, 3, 3).tensor(s)),
		s.Tensor("aten::permute", random(rng, 3, 5).tensor(s), []int64{1, 0}), number(0.75).tensor(s),
	}
	for i := range list {
		list[i] = s.Detach(list[i])
		require.NoError(t, s.Err())
		require.NoError(t, RequireGradient(list[i], true))
	}
	return list
}

// Cast together, tensors are what each is when cast by itself, and so are their
// gradients, in the layouts of the tensors. A tensor that has no part in the loss has
// no gradient.
func TestCastTogether(t *testing.T) {
	assertLive(t)
	s := NewScope()
	defer s.Close()
	leaves := someLeaves(t, s, rand.New(rand.NewSource(5)))
	weights := someLeaves(t, s, rand.New(rand.NewSource(6)))
	cast := s.CastTogether(leaves, BFloat16)
	require.NoError(t, s.Err())
	require.Len(t, cast, len(leaves))
	loss := func(list []Tensor) Tensor {
		sum := s.Zeros(CPU())
		for i, x := range list {
			if i != 1 {
				y := s.Cast(s.Mul(x, x), Float32) // rounded in between
				sum = s.Add(sum, s.Sum(s.Mul(y, weights[i])))
			}
		}
		return sum
	}
	var alone []Tensor
	for i, x := range leaves {
		alone = append(alone, s.Cast(x, BFloat16))
		dtype, err := Dtype(cast[i])
		require.NoError(t, err)
		assert.Equal(t, BFloat16, dtype)
		assert.Equal(t, read(t, alone[i]), read(t, cast[i]))
		assert.Equal(t, strides(t, x), strides(t, cast[i]))
	}
	want := s.GradientOf(loss(alone), leaves)
	have := s.GradientOf(loss(cast), leaves)
	require.NoError(t, s.Err())
	for i, x := range leaves {
		if i == 1 {
			assert.False(t, Defined(have[i]), "no part in the loss")
			continue
		}
		assert.Equal(t, bits(t, want[i]), bits(t, have[i]))
		assert.Equal(t, strides(t, x), strides(t, have[i]))
	}
	assert.Empty(t, s.CastTogether(nil, BFloat16))
	s.CastTogether([]Tensor{leaves[0], cast[1]}, BFloat16)
	assert.ErrorContains(t, s.Err(), "tensors of Float and of BFloat16")
}

// The form for devices gives the numbers of the other one, also where a gradient lies
// in another order than its neighbours, or holds one number everywhere.
func TestClipGradientsTogether(t *testing.T) {
	for name, limit := range map[string]float64{"above the limit": 1.5, "below the limit": 1e3, "no limit": 0} {
		t.Run(name, func(t *testing.T) {
			assertLive(t)
			s := NewInference()
			defer s.Close()
			make := func() []Tensor {
				rng := rand.New(rand.NewSource(7))
				return []Tensor{
					random(rng, 2, 3, 4, 2).tensor(s), {}, s.ChannelsLast(random(rng, 2, 3, 4, 2).tensor(s)),
					s.Expand(random(rng, 1, 3).tensor(s), 4, 3),
				}
			}
			want, have := make(), make()
			// In place does not do for the last one.
			want[3], have[3] = s.Contiguous(want[3]), s.Contiguous(have[3])
			norm := s.ClipGradients(want, limit)
			c := s.WithoutGradient()
			together := c.Return(c.clipTogether(have, []Tensor{have[0], have[2], have[3]}, limit))
			require.NoError(t, c.Close())
			assertClose(t, read(t, norm), together, 1e-6)
			assert.False(t, Defined(have[1]))
			for _, i := range []int{0, 2, 3} {
				assertClose(t, read(t, want[i]), have[i], 1e-6)
				assert.Equal(t, strides(t, want[i]), strides(t, have[i]))
			}
		})
	}
}

// Repeated with channels last, images are the same, and so is the gradient.
func TestRepeatLast(t *testing.T) {
	assertLive(t)
	s := NewScope()
	defer s.Close()
	rng := rand.New(rand.NewSource(8))
	x := random(rng, 2, 3, 4, 5).leaf(t, s)
	weights := random(rng, 6, 3, 4, 5).tensor(s)
	want, have := s.RepeatFirst(x, 3), s.repeatLast(x, 3)
	require.NoError(t, s.Err())
	assert.Equal(t, read(t, want), read(t, have))
	assert.Equal(t, strides(t, s.ChannelsLast(want)), strides(t, have))
	a, b := s.GradientOf(s.Sum(s.Mul(want, weights)), []Tensor{x}), s.GradientOf(s.Sum(s.Mul(have, weights)), []Tensor{x})
	require.NoError(t, s.Err())
	assertClose(t, read(t, a[0]), b[0], 1e-6)
}

// Weights in another memory order have the values of their shape, also in a file.
func TestInOrder(t *testing.T) {
	assertLive(t)
	for dims, want := range map[int][]int64{2: {27, 1, 9, 3}, 3: {81, 1, 3, 27, 9}} {
		shape := append([]int64{4, 3, 3, 3, 3}[:2], []int64{3, 3, 3}[:dims]...)
		s := NewInference()
		require.NoError(t, Seed(3))
		plain := Uniform(1)(s, CPU(), shape)
		require.NoError(t, Seed(3))
		laid := inOrder(Uniform(1), kernelOrder(dims))(s, CPU(), shape)
		require.NoError(t, s.Err())
		assert.Equal(t, bits(t, plain), bits(t, laid), "ToSlice gives C order")
		assert.Equal(t, want, strides(t, laid))
		assert.Equal(t, want, strides(t, s.ZerosLike(laid)))
		require.NoError(t, s.Close())
	}
}

// The gradient of a bias that is left out is 0 where the weight has one, else absent.
func TestOptimizersTakeTheGradientOfABiasLeftOutToBeZero(t *testing.T) {
	for name, make := range map[string]func(v *Variables) (Optimizer, error){
		"SGD": func(v *Variables) (Optimizer, error) {
			return NewSGD(CPU(), v.Parameters(), SGDOptions{Rate: 0.5, WeightDecay: 0.25})
		},
		"SGD together": func(v *Variables) (Optimizer, error) {
			return newSGD(CPU(), v.Parameters(), SGDOptions{Rate: 0.5, WeightDecay: 0.25}, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			assertLive(t)
			s := NewScope()
			defer s.Close()
			v := NewVariables(CPU())
			defer v.Close()
			used, unused := NewConv2d(v.Root().Sub("a"), 1, 2, ConvOptions{}), NewConv2d(v.Root().Sub("b"), 1, 2, ConvOptions{})
			NewConv2d(v.Root().Sub("c"), 1, 2, ConvOptions{NoBias: true}).LeaveBiasOut()
			require.NoError(t, v.Err())
			assert.Len(t, v.Convolutions(), 3)
			for _, c := range []*Conv{used, unused} {
				c.LeaveBiasOut()
			}
			before := read(t, used.Bias)
			untouched := read(t, unused.Bias)
			o, err := make(v)
			require.NoError(t, err)
			defer func() { require.NoError(t, o.(interface{ Close() error }).Close()) }()
			o.Step(s, s.GradientOf(s.Sum(used.Weight), Tensors(v.Parameters())))
			require.NoError(t, s.Err())
			assertClose(t, compute(before.shape, func(i []int64) float64 { return before.at(i...) * (1 - 0.5*0.25) }), used.Bias, 1e-6)
			assertClose(t, untouched, unused.Bias, 0)
		})
	}
}
