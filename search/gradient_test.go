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

func labelled(s *torch.Scope) (images, labels torch.Tensor) {
	return s.Randn(torch.CPU(), 4, 1, 9, 8), torch.FromSlice(s, []int64{0, 1, 2, 1}, 4)
}

// absoluteSum tells a gradient that is there from one of zeros.
func absoluteSum(s *torch.Scope, x torch.Tensor) float64 {
	return s.Item(s.Sum(s.Tensor("aten::abs", x)))
}

// requireAlive checks that a gradient is there and not of zeros. The bias of a
// convolution in a cell is the exception: normalisation takes it out again, so its
// gradient is exactly zero.
func requireAlive(t *testing.T, s *torch.Scope, x torch.Variable, gradient torch.Tensor) {
	t.Helper()
	require.True(t, torch.Defined(gradient), x.Name)
	assert.Equal(t, s.Shape(x.Value), s.Shape(gradient), x.Name)
	if strings.HasPrefix(x.Name, "cells.") && strings.HasSuffix(x.Name, ".conv.bias") {
		if torch.CPUKernels("cell") {
			assert.Zero(t, absoluteSum(s, gradient), x.Name)
		} else { // layer by layer it is what rounding leaves
			assert.Less(t, absoluteSum(s, gradient), 1e-4, x.Name)
		}
		return
	}
	assert.Positive(t, absoluteSum(s, gradient), x.Name)
}

// No parameter is dead: each gets a gradient, and alpha on every edge of cells
// whose results count.
func TestEveryParameterOfTheSupernetGetsAGradient(t *testing.T) {
	for _, downsample := range []genotype.Downsample{genotype.DownsampleReduction, genotype.DownsampleNearest} {
		for _, mixing := range []Mixing{MixSpike, MixMembrane} {
			for _, stem := range []Stem{StemSpike, StemReLU} {
				t.Run(fmt.Sprint(downsample, mixing, stem), func(t *testing.T) {
					s := begin(t, 31)
					o := tinyOptions(0, 1, 1)
					o.Mixing, o.Stem = mixing, stem
					n := newSupernet(t, 3, downsample, o)
					images, labels := labelled(s)
					out := n.Forward(Pass{Scope: s, Mode: torch.Train}, images)
					all := append(n.Architecture().Parameters(), n.Weights().Parameters()...)
					gradients := s.GradientOf(s.CrossEntropy(out.Logits, labels), torch.Tensors(all))
					require.NoError(t, s.Err())
					for i, x := range all {
						requireAlive(t, s, x, gradients[i])
					}
					count := 2
					if downsample == genotype.DownsampleNearest {
						count = 1
					}
					require.Len(t, n.Architecture().Parameters(), count)
					for _, alpha := range gradients[:count] {
						for i, x := range read(t, alpha) {
							assert.NotZero(t, x, "alpha %d", i)
						}
					}
				})
			}
		}
	}
}

func TestEveryParameterOfTheNetworkGetsAGradient(t *testing.T) {
	for _, mixing := range []Mixing{MixSpike, MixMembrane} {
		for _, g := range []genotype.Genotype{wired(t, fourNodes, nil), wired(t, threeNodes, threeNodes)} {
			t.Run(fmt.Sprint(g.Downsample(), mixing), func(t *testing.T) {
				s := begin(t, 32)
				o := tinyOptions(0, 1, 1)
				o.Mixing, o.Auxiliary = mixing, true
				n := newNetwork(t, g, o)
				images, labels := labelled(s)
				out := n.Forward(Pass{Scope: s, Mode: torch.Train}, images)
				loss := s.Add(s.CrossEntropy(out.Logits, labels), s.CrossEntropy(out.Auxiliary, labels))
				all := n.Variables().Parameters()
				gradients := s.GradientOf(loss, torch.Tensors(all))
				require.NoError(t, s.Err())
				for i, x := range all {
					requireAlive(t, s, x, gradients[i])
				}
			})
		}
	}
}

// The step of alpha neither forms nor changes gradients of the weights.
func TestGradientOfAlphaLeavesTheWeightsAlone(t *testing.T) {
	s := begin(t, 33)
	n := newSupernet(t, 2, genotype.DownsampleReduction, tinyOptions(0, 1))
	images, labels := labelled(s)
	loss := func() torch.Tensor {
		return s.CrossEntropy(n.Forward(Pass{Scope: s, Mode: torch.Train}, images).Logits, labels)
	}
	alphas := torch.Tensors(n.Architecture().Parameters())
	first := s.GradientOf(loss(), alphas)
	for _, x := range append(n.Weights().Parameters(), n.Architecture().Parameters()...) {
		assert.False(t, torch.Defined(s.Gradient(x.Value)), x.Name)
	}
	s.Backward(loss())
	var before [][]float32
	for _, x := range n.Weights().Parameters() {
		before = append(before, read(t, s.Gradient(x.Value)))
	}
	second := s.GradientOf(loss(), alphas)
	require.NoError(t, s.Err())
	for i, x := range n.Weights().Parameters() {
		assert.Equal(t, before[i], read(t, s.Gradient(x.Value)), x.Name)
	}
	for i := range alphas {
		assert.Equal(t, read(t, first[i]), read(t, second[i]), "a forward pass changes running statistics only")
	}
}

// Both alphas matter, and training mode computes the same logits twice.
func TestAlphaMovesTheLogits(t *testing.T) {
	s := begin(t, 34)
	n := newSupernet(t, 2, genotype.DownsampleReduction, tinyOptions(0, 1))
	images, _ := labelled(s)
	before := read(t, n.Forward(Pass{Scope: s, Mode: torch.Train}, images).Logits)
	for _, alpha := range n.Architecture().Parameters() {
		c := s.WithoutGradient()
		old := c.Clone(alpha.Value)
		c.CopyTo(alpha.Value, c.Scale(c.Randn(torch.CPU(), 5, 3), 3))
		after := read(t, n.Forward(Pass{Scope: s, Mode: torch.Train}, images).Logits)
		assert.NotEqual(t, before, after, alpha.Name)
		c.CopyTo(alpha.Value, old)
		require.NoError(t, c.Close())
	}
	assert.Equal(t, before, read(t, n.Forward(Pass{Scope: s, Mode: torch.Train}, images).Logits))
}

// The auxiliary head works in training only.
func TestAuxiliaryOnlyTrains(t *testing.T) {
	s := begin(t, 35)
	o := tinyOptions(0, 1)
	o.Auxiliary = true
	n := newNetwork(t, wired(t, twoNodes, nil), o)
	images, _ := labelled(s)
	assert.Equal(t, []int64{4, 3}, s.Shape(n.Forward(Pass{Scope: s, Mode: torch.Train}, images).Auxiliary))
	assert.False(t, torch.Defined(n.Forward(Pass{Scope: s, Mode: torch.Evaluate}, images).Auxiliary))
	o.Auxiliary = false
	without := newNetwork(t, wired(t, twoNodes, nil), o)
	a, err := n.Parameters()
	require.NoError(t, err)
	b, err := without.Parameters()
	require.NoError(t, err)
	assert.Equal(t, b, a)
	all, err := n.Variables().Count()
	require.NoError(t, err)
	assert.Greater(t, all, a)
}
