package search

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

// The published network, counted by hand: six 3x3 convolutions a cell, four from
// s0 and s1 and two between nodes, every one into F channels.
func TestMultiplyAddsOfNetwork(t *testing.T) {
	g, err := genotype.Preset(genotype.PresetClassificationN3)
	require.NoError(t, err)
	o := paperOptions()
	o.Width, o.Head = 4, HeadRate
	n := newNetwork(t, g, o)
	conv := func(in, out, side int64) int64 { return in * out * 9 * side * side }
	cell := func(s0, s1, f, side int64) int64 {
		return 2*conv(s0, f, side) + 2*conv(s1, f, side) + 2*conv(f, f, side)
	}
	perStep := cell(12, 12, 4, 32) + cell(12, 12, 4, 32) +
		cell(12, 12, 8, 16) + cell(12, 24, 8, 16) + cell(24, 24, 8, 16) +
		cell(24, 24, 16, 8) + cell(24, 48, 16, 8) + cell(48, 48, 16, 8) +
		48*10 // head
	// The auxiliary classifier reads cell 5: 48 channels on a 2x2 grid.
	perStep += 4*48*128 + 4*128*768 + 768*10
	stem := conv(3, 12, 32)
	assert.Equal(t, 6*perStep+stem, MultiplyAdds(n.Layers(32, 32), 6))
}

// A supernet of two nodes: three candidates on edges from s0 and s1, two (skip
// is the identity) between nodes; the second cell down-samples by strides.
func TestMultiplyAddsOfSupernet(t *testing.T) {
	o := tinyOptions(0, 1)
	o.Width, o.Head = 4, HeadRate
	n, err := NewSupernet(torch.CPU(), 2, genotype.DownsampleReduction, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	// Odd sizes round up: 7x9 becomes 4x5.
	first := int64(9 * 63 * (2*2*3*8*4 + 2*4*4))
	second := int64(9 * 20 * (2*2*3*8*8 + 2*8*8))
	stem := int64(9 * 63 * 8)
	assert.Equal(t, 3*(first+second+16*3)+stem, MultiplyAdds(n.Layers(7, 9), 3))
}

// The wide convolutions of the list have the weights that the network has.
func TestLayersHoldAllWeights(t *testing.T) {
	for _, auxiliary := range []bool{false, true} {
		o := paperOptions()
		o.Width, o.Auxiliary = 4, auxiliary
		n := newNetwork(t, wired(t, threeNodes, reductionNodes), o)
		var weights int64
		for _, l := range n.Layers(32, 32) {
			weights += int64(l.In * l.Out * l.Kernel * l.Kernel)
		}
		var have int64
		for _, v := range n.Variables().Parameters() {
			shape, err := torch.Shape(v.Value)
			require.NoError(t, err)
			if len(shape) > 1 {
				count := int64(1)
				for _, k := range shape {
					count *= k
				}
				have += count
			}
		}
		assert.Equal(t, have, weights)
	}
}

// reductionNodes are the rows of a reduction cell of three nodes.
var reductionNodes = [][2]int{{0, 1}, {1, 0}, {4, 1}, {2, 2}, {5, 0}, {7, 2}}
