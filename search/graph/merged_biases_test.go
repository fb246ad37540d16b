package graph_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
)

// Every neuron gets the sum of the biases that led to it, and no bias is added that is 0
// or that another convolution brings.
func TestMergedBiases(t *testing.T) {
	require.NoError(t, torch.Seed(52))
	s := torch.NewInference()
	defer func() { require.NoError(t, s.Close()) }()
	g, err := genotype.Preset(genotype.PresetStereo)
	require.NoError(t, err)
	n, err := stereo.NewNetwork(torch.CPU(), g, stereo.Options{Width: 4, MaxDisparity: 15})
	require.NoError(t, err)
	defer n.Close()
	for _, x := range n.Variables().All() { // biases that are not 0
		if strings.HasSuffix(x.Name, ".bias") || strings.HasSuffix(x.Name, ".running_mean") {
			s.CopyTo(x.Value, s.Randn(torch.CPU(), s.Shape(x.Value)...))
		}
	}
	p, err := n.Program()
	require.NoError(t, err)
	defer p.Close()
	merged, err := graph.MergedBiases(p.Program)
	require.NoError(t, err)
	of := func(list map[graph.Value]torch.Tensor, x graph.Part) []float64 {
		bias := list[x.X]
		if !torch.Defined(bias) {
			return nil
		}
		values, err := torch.ToSlice[float64](s.Cast(bias, torch.Float64))
		require.NoError(t, err)
		if x.Length > 0 {
			values = values[x.Start : x.Start+x.Length]
		}
		return values
	}
	plain := map[graph.Value]torch.Tensor{}
	for i, x := range p.Nodes() {
		if c, ok := x.Op.(graph.Conv); ok {
			plain[graph.Value(i)] = p.Tensor(c.Bias)
		}
	}
	sums := 0
	for _, x := range p.Nodes() {
		x, ok := x.Op.(graph.Sum)
		if !ok {
			continue
		}
		sums++
		var want, have []float64
		for _, list := range []struct {
			of map[graph.Value]torch.Tensor
			to *[]float64
		}{{plain, &want}, {merged, &have}} {
			for _, part := range x.Parts {
				for k, b := range of(list.of, part) {
					if k >= len(*list.to) {
						*list.to = append(*list.to, 0)
					}
					(*list.to)[k] += b
				}
			}
		}
		assert.InDeltaSlice(t, want, have, 1e-6)
	}
	assert.Equal(t, 18, sums)
	// Two cells of the feature network need two biases, four of the matching network one;
	// four stems and the tail from level 1 have theirs, the two last layers have none.
	assert.Len(t, merged, 2*2+4+4+1)
}
