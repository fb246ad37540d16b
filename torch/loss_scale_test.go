package torch

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scaledOptimizers makes each kind of optimiser with a loss scale, 0 for none.
var scaledOptimizers = map[string]func(p *problem, scale float64) (Optimizer, *slots, error){
	"SGD": func(p *problem, scale float64) (Optimizer, *slots, error) {
		o, err := newSGD(CPU(), p.v.Parameters(), SGDOptions{Momentum: 0.8, WeightDecay: 0.3, LossScale: scale}, true)
		return o, &o.slots, err
	},
	"SGD without decay": func(p *problem, scale float64) (Optimizer, *slots, error) {
		o, err := newSGD(CPU(), p.v.Parameters(), SGDOptions{Momentum: 0.8, LossScale: scale}, true)
		return o, &o.slots, err
	},
	"Adam": func(p *problem, scale float64) (Optimizer, *slots, error) {
		o, err := newAdam(CPU(), p.v.Parameters(), AdamOptions{WeightDecay: 0.1, LossScale: scale}, true)
		return o, &o.slots, err
	},
}

// scaledStep is a step as training does it. spoil, where given, is put into a gradient
// of the scaled loss.
func (p *problem) scaledStep(t *testing.T, o Optimizer, spoil *float64) {
	t.Helper()
	defer Pin()() // or gradients that meet are added in another order
	s := NewScope()
	defer s.Close()
	o.Begin(s)
	gradients := s.GradientOf(o.LossScale().Scale(s, p.loss(s)), Tensors(p.v.Parameters()))
	if spoil != nil {
		c := s.WithoutGradient()
		c.Tensor("aten::fill_.Scalar", c.Narrow(gradients[1], 0, 2, 1), *spoil)
		c.Close()
	}
	o.LossScale().Unscale(s, gradients)
	s.ClipGradients(gradients, 0.7)
	o.Apply(s, gradients)
	require.NoError(t, s.Err())
}

// everything is the bits of parameters and state.
func everything(t *testing.T, p *problem, o Optimizer) map[string][]float32 {
	t.Helper()
	all := map[string][]float32{}
	for _, v := range append(p.v.All(), o.State()...) {
		all[v.Name] = bits(t, v.Value)
	}
	return all
}

// A power of two changes no bit of any step.
func TestLossScaleChangesNoBit(t *testing.T) {
	for name, make := range scaledOptimizers {
		for _, factor := range []float64{1, 1024, 1 << 20} {
			assertLive(t)
			plain, scaled := newProblem(t), newProblem(t)
			a, state, err := make(plain, 0)
			require.NoError(t, err)
			b, other, err := make(scaled, factor)
			require.NoError(t, err)
			for _, rate := range testRates {
				a.SetLearningRate(rate)
				b.SetLearningRate(rate)
				plain.scaledStep(t, a, nil)
				scaled.scaledStep(t, b, nil)
				assert.Equal(t, everything(t, plain, a), everything(t, scaled, b), "%s, %g", name, factor)
			}
			skipped, err := b.LossScale().Skipped()
			require.NoError(t, err)
			assert.Zero(t, skipped)
			require.NoError(t, state.Close())
			require.NoError(t, other.Close())
			require.NoError(t, plain.v.Close())
			require.NoError(t, scaled.v.Close())
		}
	}
}

// A step with a gradient that is not finite changes nothing but the count, and the
// next one goes on as if it had not been.
func TestStepsOfGradientsThatAreNotFinite(t *testing.T) {
	for name, make := range scaledOptimizers {
		for _, spoil := range []float64{math.Inf(1), math.Inf(-1), math.NaN()} {
			plain, spoilt := newProblem(t), newProblem(t)
			a, state, err := make(plain, 1024)
			require.NoError(t, err)
			b, other, err := make(spoilt, 1024)
			require.NoError(t, err)
			a.SetLearningRate(0.1)
			b.SetLearningRate(0.1)
			for range 2 {
				plain.scaledStep(t, a, nil)
				spoilt.scaledStep(t, b, nil)
			}
			before := everything(t, spoilt, b)
			spoilt.scaledStep(t, b, &spoil)
			assert.Equal(t, before, everything(t, spoilt, b), "%s, %g", name, spoil)
			assert.EqualValues(t, 3, b.Steps())
			skipped, err := b.LossScale().Skipped()
			require.NoError(t, err)
			assert.EqualValues(t, 1, skipped)

			other.steps = 2 // Adam's corrections count steps
			spoilt.scaledStep(t, b, nil)
			plain.scaledStep(t, a, nil)
			assert.Equal(t, everything(t, plain, a), everything(t, spoilt, b), "%s, %g", name, spoil)
			require.NoError(t, state.Close())
			require.NoError(t, other.Close())
		}
	}
}

func TestLossScalesArePowersOfTwo(t *testing.T) {
	for _, factor := range []float64{0.5, 3, -4, 1000, math.Inf(1), math.NaN()} {
		_, err := NewLossScale(CPU(), factor)
		assert.ErrorContains(t, err, "want a power of two from 1 on", "%g", factor)
	}
	var none *LossScale
	s := NewScope()
	defer s.Close()
	loss := s.Full(CPU(), 3)
	assert.Equal(t, loss, none.Scale(s, loss))
	none.Unscale(s, []Tensor{loss})
	assertClose(t, number(3), loss, 0)
	require.NoError(t, none.Close())
}
