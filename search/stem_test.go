package search

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/export"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

// A stem of three layers is convolution, normalisation and neurons thrice, each
// layer twice as wide as the one before it. Behind neurons the steps differ, so
// per-step statistics matter there.
func TestStemOfThreeLayersAgainstTheFormula(t *testing.T) {
	for _, kind := range []Stem{StemSpike, StemReLU} {
		for _, perStep := range []bool{false, true} {
			for _, mode := range []torch.Mode{torch.Train, torch.Evaluate} {
				t.Run(fmt.Sprintf("%s per-step=%t train=%t", kind, perStep, mode), func(t *testing.T) {
					s := begin(t, 5)
					o := tinyOptions(0)
					o.Stem, o.Channels, o.PerStepNorm, o.StemStrides = kind, 2, perStep, []int{2, 1, 3}
					v := torch.NewVariables(torch.CPU())
					defer v.Close()
					st := newStem(v.Root(), 8, &o)
					require.NoError(t, v.Err())
					unsettle(t, s, v)
					images := s.Randn(torch.CPU(), 4, 2, 23, 17)

					value := func(name string) torch.Tensor {
						x, ok := v.Lookup(name)
						require.True(t, ok, name)
						return x.Value
					}
					y := s.Cat([]torch.Tensor{images, images, images}, 0)
					for i, prefix := range []string{"", "layer.1.", "layer.2."} {
						stride := int64(o.StemStrides[i])
						y = s.Tensor("aten::conv2d", y, value(prefix+"conv.weight"), value(prefix+"conv.bias"),
							[]int64{stride, stride}, []int64{1, 1})
						// All steps of an analog stem are alike, so are their statistics.
						parts := []torch.Tensor{y}
						if perStep {
							parts = s.Split(y, 0, 4)
						}
						for k, part := range parts {
							mean, variance := s.Clone(value(prefix+"norm.running_mean")), s.Clone(value(prefix+"norm.running_var"))
							parts[k] = s.Tensor("aten::batch_norm", part, value(prefix+"norm.weight"), value(prefix+"norm.bias"),
								mean, variance, bool(mode), 0.1, 1e-5, false)
						}
						y = s.Cat(parts, 0)
						if kind == StemReLU {
							y = s.ReLU(y)
						} else {
							y = o.Neuron.FireComposed(s, y, s.Full(torch.CPU(), 3), 3)
						}
					}
					have := st.forward(Pass{Scope: s, Mode: mode}, images, &o)
					require.NoError(t, s.Err())
					assert.Equal(t, []int64{12, 8, 4, 3}, s.Shape(have))
					requireClose(t, y, have, "stem")
					if kind == StemSpike {
						requireSomeSpikes(t, have)
					}
					weights := s.Randn(torch.CPU(), s.Shape(have)...)
					parameters := torch.Tensors(v.Parameters())
					requireSameGradients(t, v.Parameters(), s.GradientOf(weigh(s, y, weights), parameters),
						s.GradientOf(weigh(s, have, weights), parameters))
				})
			}
		}
	}
}

// One operator a cell computes what the layers do behind two layers of stem, with
// binary neurons, and with statistics of each step.
func TestFusedCellsEqualLayersInNewNetworks(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"two stem layers":           func(o *Options) { o.StemStrides = []int{2, 1} },
		"two stem layers, per step": func(o *Options) { o.StemStrides, o.PerStepNorm = []int{1, 1}, true },
		"binary neurons":            func(o *Options) { o.Neuron.Tau = 0 },
		"binary neurons, at spikes": func(o *Options) { o.Neuron.Tau, o.Mixing = 0, MixSpike },
	} {
		for _, super := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " supernet=", super), func(t *testing.T) {
				s := begin(t, 71)
				o := tinyOptions(0, 1, 1)
				o.Head, o.Width = HeadRate, 6
				change(&o)
				fused := pass(t, s, super, genotype.DownsampleReduction, o)
				o.Unfused = true
				layers := pass(t, s, super, genotype.DownsampleReduction, o)
				requireSamePass(t, layers, fused)
			})
		}
	}
}

// Binary neurons have no memory: every step of a static image is the same, and so
// the logits do not depend on the number of steps.
func TestBinaryNeuronsForget(t *testing.T) {
	s := begin(t, 6)
	var logits [][]float32
	for _, steps := range []int{1, 4} {
		require.NoError(t, torch.Seed(9))
		o := tinyOptions(0, 1)
		o.Steps, o.Neuron.Tau = steps, 0
		n := newNetwork(t, wired(t, twoNodes, nil), o)
		unsettle(t, s, n.Variables())
		images := s.Randn(torch.CPU(), 2, 1, 8, 8)
		logits = append(logits, read(t, n.Forward(Pass{Scope: s, Mode: torch.Evaluate}, images).Logits))
	}
	assert.InDeltaSlice(t, logits[0], logits[1], 1e-5)
}

// A cell of the ANN is eq. 3 with max(x, 0) in place of the neurons.
func TestRectifiedCellAgainstTheFormula(t *testing.T) {
	modes(t, func(t *testing.T, w where, mixing Mixing, mode torch.Mode) {
		s := begin(t, 26)
		o := tinyOptions(0)
		o.Mixing, o.Steps, o.Activation = mixing, 1, ActivationReLU
		want, have, leaves := w.compute(t, s, threeNodes, mode, &o)
		requireClose(t, want, have, "cell")
		values := read(t, have)
		assert.Positive(t, len(values))
		analog := 0
		for _, x := range values {
			assert.GreaterOrEqual(t, x, float32(0))
			if x != 0 && x != 1 {
				analog++
			}
		}
		assert.Positive(t, analog)
		weights := s.Randn(torch.CPU(), s.Shape(have)...)
		requireSameGradients(t, leaves, s.GradientOf(weigh(s, want, weights), torch.Tensors(leaves)),
			s.GradientOf(weigh(s, have, weights), torch.Tensors(leaves)))
	})
}

// An ANN is one whatever its stem is called, trains in supernet and network, and
// has no event-driven form.
func TestANN(t *testing.T) {
	s := begin(t, 27)
	o := tinyOptions(0, 1)
	o.Steps, o.Activation, o.Auxiliary = 1, ActivationReLU, true
	n := newNetwork(t, wired(t, twoNodes, nil), o)
	images, labels := labelled(s)
	out := n.Forward(Pass{Scope: s, Mode: torch.Train}, images)
	loss := s.Add(s.CrossEntropy(out.Logits, labels), s.CrossEntropy(out.Auxiliary, labels))
	learns(t, s, loss, n.Variables().Parameters())
	p, err := n.Program(Input{Height: 9, Width: 8, Mean: []float64{0}, Deviation: []float64{1}})
	require.NoError(t, err)
	defer p.Close()
	assert.False(t, p.EventDriven())
	assert.NotContains(t, export.Source(p), "self.fire(")
	assert.Empty(t, p.Layers())

	o.Auxiliary = false
	super := newSupernet(t, 2, genotype.DownsampleReduction, o)
	out = super.Forward(Pass{Scope: s, Mode: torch.Train}, images)
	require.NoError(t, s.Err())
	all := append(super.Weights().Parameters(), super.Architecture().Parameters()...)
	learns(t, s, s.CrossEntropy(out.Logits, labels), all)
}

// learns requires a gradient of every parameter, but for the biases in front of
// normalisations, where only rounding is left of it.
func learns(t *testing.T, s *torch.Scope, loss torch.Tensor, parameters []torch.Variable) {
	t.Helper()
	for i, g := range s.GradientOf(loss, torch.Tensors(parameters)) {
		if !strings.HasSuffix(parameters[i].Name, "conv.bias") {
			requireAlive(t, s, parameters[i], g)
		}
	}
	require.NoError(t, s.Err())
}

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
