package torch

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGradientsAccumulateUntilTheyAreCleared(t *testing.T) {
	assertLive(t)
	s := NewScope()
	defer s.Close()
	w := vector(2, -3).leaf(t, s)
	assert.False(t, Defined(s.Gradient(w)))
	for step := 1.0; step <= 2; step++ {
		s.Backward(s.Sum(s.Mul(w, w)))
		require.NoError(t, s.Err())
		assertClose(t, vector(4*step, -6*step), s.Gradient(w), 0)
	}
	require.NoError(t, ClearGradient(w))
	assert.False(t, Defined(s.Gradient(w)))
}

func TestGradientOfLeavesOtherGradientsAlone(t *testing.T) {
	assertLive(t)
	s := NewScope()
	defer s.Close()
	w, alpha, idle := vector(2, -3).leaf(t, s), vector(5, 7).leaf(t, s), vector(1).leaf(t, s)
	loss := func() Tensor { return s.Sum(s.Mul(s.Mul(w, w), alpha)) }
	s.Backward(loss())
	require.NoError(t, ClearGradient(alpha))
	before := s.Clone(s.Gradient(w))

	grads := s.GradientOf(loss(), []Tensor{alpha, idle})
	require.NoError(t, s.Err())
	require.Len(t, grads, 2)
	assertClose(t, vector(4, 9), grads[0], 0)
	assert.False(t, Defined(grads[1]), "a leaf without influence has no gradient")
	assertClose(t, read(t, before), s.Gradient(w), 0)
	assert.False(t, Defined(s.Gradient(alpha)), "nothing is accumulated")

	assert.Nil(t, s.GradientOf(loss(), nil))
	s.GradientOf(loss(), []Tensor{alpha, s.Zeros(CPU(), 1)})
	assert.ErrorContains(t, s.Err(), "torch: gradient of:")
}

func TestGradientsFollowTheParameters(t *testing.T) {
	assertLive(t)
	s := NewScope()
	defer s.Close()
	v := network(t)
	w, b := v.Parameters()[0], v.Parameters()[3]
	s.Backward(s.Add(s.Sum(s.Scale(w.Value, 2)), s.Sum(s.Scale(b.Value, 3))))
	gradients := s.Gradients(v.Parameters())
	require.NoError(t, s.Err())
	require.Len(t, gradients, len(v.Parameters()))
	assertClose(t, compute([]int64{3, 2, 3, 3}, func([]int64) float64 { return 2 }), gradients[0], 0)
	assertClose(t, vector(3, 3, 3), gradients[3], 0)
	assert.False(t, Defined(gradients[1]))
}

func TestInferenceRecordsNothing(t *testing.T) {
	s := NewInference()
	defer s.Close()
	w := vector(1, 2).leaf(t, s)
	y := s.Sum(s.Mul(w, w))
	require.NoError(t, s.Err())
	s.Backward(y)
	assert.ErrorContains(t, s.Err(), "does not depend on any tensor that requires a gradient")
}

func TestASecondBackwardOfOneGraphIsAnError(t *testing.T) {
	s := NewScope()
	defer s.Close()
	w := vector(1, 2).leaf(t, s)
	loss := s.Sum(s.Mul(w, w))
	s.Backward(loss)
	require.NoError(t, s.Err())
	s.Backward(loss)
	require.ErrorContains(t, s.Err(), "torch: backward:")
	assert.NotContains(t, s.Err().Error(), "\n")
}

func TestRequireGradientOfIntegers(t *testing.T) {
	s := NewScope()
	defer s.Close()
	err := RequireGradient(FromSlice(s, []int64{1}, 1), true)
	assert.ErrorContains(t, err, "torch: require gradient:")
	assert.ErrorContains(t, err, "floating point")
}

// A tensor freed in the middle of a forward pass stays in the graph.
func TestFreedTemporariesServeTheBackwardPass(t *testing.T) {
	s := NewScope()
	defer s.Close()
	w := vector(3, 4).leaf(t, s)
	square := s.Mul(w, w)
	loss := s.Sum(s.Mul(square, square))
	live := LiveTensors()
	s.Free(square)
	assert.Equal(t, live-1, LiveTensors())
	s.Backward(loss)
	require.NoError(t, s.Err())
	assertClose(t, vector(4*27, 4*64), s.Gradient(w), 0)
}
