package search

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

// requireFewEqualsLayers compares a pass with few launches with one by the layers:
// logits, every gradient but those of the biases left out, and the variables after
// the pass, running statistics included.
func requireFewEqualsLayers(t *testing.T, layers, few trained) {
	t.Helper()
	requireClose(t, layers.logits, few.logits, "logits")
	require.Len(t, few.of, len(layers.of))
	left := 0
	for i, x := range few.of {
		if x.Follows == "" {
			require.NotContains(t, x.Name, "conv.bias", "every convolution has a normalisation behind it")
			requireWithin(t, 5e-5, layers.gradients[i], few.gradients[i], "gradient of "+x.Name)
			continue
		}
		left++
		assert.Equal(t, strings.TrimSuffix(x.Name, "bias")+"weight", x.Follows)
		assert.False(t, torch.Defined(few.gradients[i]), x.Name)
	}
	assert.Positive(t, left)
	require.Len(t, few.buffers, len(layers.buffers))
	for i := range layers.buffers {
		assert.InDeltaSlice(t, layers.buffers[i], few.buffers[i], 1e-5)
	}
}

// With few launches a network computes what its layers compute one by one.
func TestFewLaunchesEqualLayers(t *testing.T) {
	each(t, func(t *testing.T, super bool, d genotype.Downsample, o Options) {
		s := begin(t, 71)
		o.Unfused = true
		layers := pass(t, s, super, d, o)
		o.FewLaunches = true
		few := pass(t, s, super, d, o)
		requireFewEqualsLayers(t, layers, few)
	})
}

// So it does with every other part that a network can have.
func TestFewLaunchesEqualLayersInEveryPart(t *testing.T) {
	for name, change := range map[string]func(o *Options){
		"auxiliary":                      func(o *Options) { o.Auxiliary = true },
		"rectified stem of three layers": func(o *Options) { o.Stem, o.StemStrides = StemReLU, []int{1, 2, 1} },
		"rectifiers":                     func(o *Options) { o.Activation, o.Steps, o.Stem = ActivationReLU, 1, StemReLU },
		"one step a statistic, two of stem": func(o *Options) {
			o.PerStepNorm, o.StemStrides = true, []int{1, 1}
		},
	} {
		for _, super := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " supernet=", super), func(t *testing.T) {
				s := begin(t, 73)
				o := tinyOptions(0, 1)
				o.Head, o.Width, o.Unfused = HeadRate, 5, true
				change(&o)
				layers := pass(t, s, super, genotype.DownsampleReduction, o)
				o.FewLaunches = true
				requireFewEqualsLayers(t, layers, pass(t, s, super, genotype.DownsampleReduction, o))
			})
		}
	}
}

// Optimisers take the gradient of a bias that was left out to be 0: weight decay
// moves it, and its momentum, as in a network that adds it. Then the running means
// have another bias to take up.
func TestFewLaunchesTrainTheSameNetwork(t *testing.T) {
	s := begin(t, 75)
	images, labels := labelled(s)
	train := func(few bool) (names []string, values [][]float32, logits []float32) {
		require.NoError(t, torch.Seed(78))
		o := tinyOptions(0, 1)
		o.Head, o.Width, o.Unfused, o.FewLaunches = HeadRate, 5, true, few
		n := newNetwork(t, wired(t, threeNodes, nil), o)
		v := n.Variables()
		sgd, err := torch.NewSGD(torch.CPU(), v.Parameters(), torch.SGDOptions{Rate: 0.02, Momentum: 0.9, WeightDecay: 0.5})
		require.NoError(t, err)
		defer func() { require.NoError(t, sgd.Close()) }()
		for range 3 {
			c := torch.NewScope()
			out := n.Forward(Pass{Scope: c, Mode: torch.Train}, images)
			sgd.Step(c, c.GradientOf(c.CrossEntropy(out.Logits, labels), torch.Tensors(v.Parameters())))
			require.NoError(t, c.Close())
		}
		for _, x := range append(v.All(), sgd.State()...) {
			names, values = append(names, x.Name), append(values, read(t, x.Value))
		}
		out := n.Forward(Pass{Scope: s, Mode: torch.Evaluate}, images)
		return names, values, read(t, out.Logits)
	}
	names, layers, logits := train(false)
	_, few, fewLogits := train(true)
	for i, name := range names {
		assert.InDeltaSlice(t, layers[i], few[i], 2e-5, name)
	}
	assert.InDeltaSlice(t, logits, fewLogits, 1e-4)
}

// A pass that no network prepared does by itself what Together does at once: casts,
// and their gradients, to the bit, and running means.
func TestFewLaunchesWithoutTogether(t *testing.T) {
	s := begin(t, 76)
	x := s.Randn(torch.CPU(), 6, 2, 5, 5)
	run := func(together bool) (output []float32, gradients [][]float32, mean []float32) {
		require.NoError(t, torch.Seed(79))
		o := tinyOptions(0)
		o.FewLaunches, o.Precision = true, BFloat16
		v := torch.NewVariables(torch.CPU())
		defer v.Close()
		b := NewConvBlock(v.Root(), ConvShape{In: 2, Out: 3, Kernel: 3, Activation: Linear}, o)
		require.NoError(t, v.Err())
		p, done := Pass{Scope: s, Mode: torch.Train}, func() {}
		if together {
			p, done = o.Together(p, v)
		}
		y := b.Forward(p, x)
		done()
		for _, g := range s.GradientOf(s.Sum(s.Mul(y, y)), torch.Tensors(v.Parameters())) {
			if torch.Defined(g) {
				gradients = append(gradients, read(t, g))
			}
		}
		require.NoError(t, s.Err())
		return read(t, s.Cast(y, torch.Float32)), gradients, read(t, b.norm.Mean)
	}
	outputs, gradients, means := run(false)
	require.Len(t, gradients, 3, "all but that of the bias")
	y, g, mean := run(true)
	assert.Equal(t, outputs, y)
	assert.Equal(t, gradients, g)
	assert.InDeltaSlice(t, means, mean, 1e-6)
}

// A mean that was updated twice in a pass takes the bias up twice.
func TestRunningMeansOfALayerThatRunsTwice(t *testing.T) {
	s := begin(t, 77)
	x := s.Randn(torch.CPU(), 6, 2, 5, 5)
	run := func(few bool) []float32 {
		require.NoError(t, torch.Seed(80))
		o := tinyOptions(0)
		o.FewLaunches, o.Unfused = few, true
		v := torch.NewVariables(torch.CPU())
		defer v.Close()
		b := NewConvBlock(v.Root(), ConvShape{In: 2, Out: 3, Activation: Linear}, o)
		require.NoError(t, v.Err())
		p, done := o.Together(Pass{Scope: s, Mode: torch.Train}, v)
		b.Forward(p, x)
		b.Forward(p, s.Scale(x, 2))
		done()
		return read(t, b.norm.Mean)
	}
	assert.InDeltaSlice(t, run(false), run(true), 1e-6)
}

// Cells of a trellis without a first input, and several classifiers.
func TestFewLaunchesInATrellis(t *testing.T) {
	s := begin(t, 81)
	run := func(few bool) (logits torch.Tensor, of []torch.Variable, gradients []torch.Tensor, buffers [][]float32) {
		require.NoError(t, torch.Seed(82))
		o := tinyOptions(0, 1, 1)
		o.Head, o.Width, o.Mixing, o.TrellisLevels, o.FewLaunches, o.Unfused = HeadRate, 3, MixSpike, 2, few, true
		n, err := NewTrellisSupernet(torch.CPU(), 2, o)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, n.Close()) })
		unsettle(t, s, n.Weights())
		images, labels := labelled(s)
		out := n.Forward(Pass{Scope: s, Mode: torch.Train}, images)
		of = append(n.Weights().Parameters(), n.Architecture().Parameters()...)
		gradients = s.GradientOf(s.CrossEntropy(out.Logits, labels), torch.Tensors(of))
		require.NoError(t, s.Err())
		for _, x := range n.Weights().All() {
			buffers = append(buffers, read(t, x.Value))
		}
		return out.Logits, of, gradients, buffers
	}
	logits, of, gradients, buffers := run(false)
	fewLogits, _, fewGradients, fewBuffers := run(true)
	requireClose(t, logits, fewLogits, "logits")
	for i, x := range of {
		if !strings.HasSuffix(x.Name, "conv.bias") {
			requireWithin(t, 5e-5, gradients[i], fewGradients[i], "gradient of "+x.Name)
		}
	}
	for i := range buffers {
		assert.InDeltaSlice(t, buffers[i], fewBuffers[i], 1e-5)
	}
}
