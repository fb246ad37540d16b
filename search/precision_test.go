package search

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

// Convolutions in bfloat16: logits, weights and gradients stay float32, and
// every parameter has a gradient.
func TestBFloat16TrainsFloat32Weights(t *testing.T) {
	s := begin(t, 41)
	for _, mixing := range []Mixing{MixSpike, MixMembrane} {
		for _, stem := range []Stem{StemSpike, StemReLU} {
			o := tinyOptions(0, 1)
			o.Precision, o.Mixing, o.Stem, o.Auxiliary = BFloat16, mixing, stem, true
			n := newNetwork(t, wired(t, threeNodes, nil), o)
			super := newSupernet(t, 3, genotype.DownsampleReduction, o)
			images, labels := labelled(s)
			out := n.Forward(Pass{Scope: s, Mode: torch.Train}, images)
			requireGradients(t, s, s.Add(s.CrossEntropy(out.Logits, labels), s.CrossEntropy(out.Auxiliary, labels)), n.Variables().Parameters())
			out = super.Forward(Pass{Scope: s, Mode: torch.Train}, images)
			requireGradients(t, s, s.CrossEntropy(out.Logits, labels), append(super.Weights().Parameters(), super.Architecture().Parameters()...))
		}
	}
}

func requireGradients(t *testing.T, s *torch.Scope, loss torch.Tensor, parameters []torch.Variable) {
	t.Helper()
	require.NoError(t, s.Err())
	kinds := func(x torch.Tensor) int8 {
		dtype, err := torch.Dtype(x)
		require.NoError(t, err)
		return dtype
	}
	assert.Equal(t, torch.Float32, kinds(loss))
	for i, grad := range s.GradientOf(loss, torch.Tensors(parameters)) {
		require.True(t, torch.Defined(grad), parameters[i].Name)
		assert.Equal(t, torch.Float32, kinds(grad), parameters[i].Name)
		assert.Equal(t, torch.Float32, kinds(parameters[i].Value))
	}
	require.NoError(t, s.Err())
}

// The currents in bfloat16 are those in float32 to its 8 bits, and the inference
// form does not depend on the precision of the training.
func TestBFloat16IsCloseToFloat32(t *testing.T) {
	s := begin(t, 42)
	var currents, programs [][]float32
	for _, precision := range []Precision{Float32, BFloat16} {
		require.NoError(t, torch.Seed(43))
		o := tinyOptions(0)
		o.Precision = precision
		v := torch.NewVariables(torch.CPU())
		f := newWideConv(v.Root(), "", ConvShape{In: 3, Out: 4}, []genotype.Edge{{Index: 0, Op: genotype.B3}}, &o)
		x := spikesLike(t, s, 6, 3, 6, 6)
		y := f.Forward(Pass{Scope: s, Mode: torch.Train}, x)
		currents = append(currents, read(t, s.Cast(y, torch.Float32)))
		require.NoError(t, v.Close())

		n := newNetwork(t, wired(t, twoNodes, nil), o)
		p, err := n.Program(Input{Height: 6, Width: 6, Mean: []float64{0}, Deviation: []float64{1}})
		require.NoError(t, err)
		programs = append(programs, read(t, p.Run(s, s.Randn(torch.CPU(), 2, 1, 6, 6))))
		require.NoError(t, p.Close())
	}
	assert.InDeltaSlice(t, currents[0], currents[1], 0.05)
	assert.NotEqual(t, currents[0], currents[1])
	assert.Equal(t, programs[0], programs[1])
}
