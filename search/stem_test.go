package search

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// Computing the current of a static image once is the same as presenting the
// image at every step.
func TestStemIsTheImagePresentedAtEveryStep(t *testing.T) {
	for _, kind := range []Stem{StemSpike, StemReLU} {
		for _, perStep := range []bool{false, true} {
			for _, mode := range []torch.Mode{torch.Train, torch.Evaluate} {
				s := begin(t, 4)
				o := tinyOptions(0)
				o.Stem, o.Channels, o.PerStepNorm = kind, 2, perStep
				v := torch.NewVariables(torch.CPU())
				st := newStem(v.Root(), 5, &o)
				require.NoError(t, v.Err())
				unsettle(t, s, v)
				images := s.Randn(torch.CPU(), 3, 2, 6, 5)
				// Every step by itself: a copy of the image, normalised and fired with the others.
				mean, variance := s.Clone(st[0].norm.Mean), s.Clone(st[0].norm.Variance)
				repeated := s.Cat([]torch.Tensor{images, images, images}, 0)
				y := s.Tensor("aten::conv2d", repeated, st[0].conv.Weight, st[0].conv.Bias, []int64{1, 1}, []int64{1, 1})
				y = s.Tensor("aten::batch_norm", y, st[0].norm.Weight, st[0].norm.Bias, mean, variance, bool(mode), 0.1, 1e-5, false)
				var want torch.Tensor
				if kind == StemReLU {
					want = s.ReLU(y)
				} else {
					want = o.Neuron.FireComposed(s, y, s.Full(torch.CPU(), 3), 3)
				}
				have := st.forward(Pass{Scope: s, Mode: mode}, images, &o)
				require.NoError(t, s.Err())
				requireClose(t, want, have, "stem")
				weights := s.Randn(torch.CPU(), s.Shape(have)...)
				parameters := torch.Tensors(v.Parameters())
				requireSameGradients(t, v.Parameters(), s.GradientOf(weigh(s, want, weights), parameters),
					s.GradientOf(weigh(s, have, weights), parameters))
				requireClose(t, mean, st[0].norm.Mean, "running mean")
				if kind == StemSpike {
					requireSomeSpikes(t, have)
				} else {
					assert.Nil(t, st[0].neurons)
				}
				require.NoError(t, v.Close())
			}
		}
	}
}

// Neurons carry their membranes from step to step, so more steps of the same
// image change the answer.
func TestMoreStepsChangeTheLogits(t *testing.T) {
	s := begin(t, 6)
	var logits [][]float32
	for _, steps := range []int{1, 4} {
		require.NoError(t, torch.Seed(9))
		o := tinyOptions(0, 1)
		o.Steps = steps
		n := newNetwork(t, wired(t, twoNodes, nil), o)
		unsettle(t, s, n.Variables())
		images := s.Randn(torch.CPU(), 2, 1, 8, 8)
		logits = append(logits, read(t, n.Forward(Pass{Scope: s, Mode: torch.Evaluate}, images).Logits))
	}
	assert.NotEqual(t, logits[0], logits[1])
}
