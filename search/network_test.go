package search

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// paperOptions is the CIFAR-10 network of the paper: F = 48, T = 6.
func paperOptions() Options {
	return Options{
		Channels: 3, Classes: 10, Width: 48, Levels: []int{0, 0, 1, 1, 1, 2, 2, 2}, Steps: 6,
		Neuron: spike.Default(), Temperature: 3,
		Mixing: MixMembrane, Head: HeadLIF, Stem: StemSpike, Auxiliary: true,
	}
}

func TestParameterCountsOfThePaper(t *testing.T) {
	published, err := genotype.Preset("spikedhs-cla-n3")
	require.NoError(t, err)
	// Nodes 0 and 1 read s0 and s1, nodes 2 and 3 read n0 and n1.
	fourNodes, err := genotype.NewCell([][2]int{{0, 1}, {1, 1}, {2, 1}, {3, 1}, {7, 1}, {8, 1}, {11, 1}, {12, 1}})
	require.NoError(t, err)
	four, err := genotype.New("four nodes", fourNodes, nil)
	require.NoError(t, err)
	for _, c := range []struct {
		genotype genotype.Genotype
		width    int
		want     int64
	}{
		{published, 48, 14_293_758},
		{four, 36, 11_691_390},
	} {
		o := paperOptions()
		o.Width = c.width
		n, err := NewNetwork(torch.CPU(), c.genotype, o)
		require.NoError(t, err)
		count, err := n.Parameters()
		require.NoError(t, err)
		assert.Equal(t, c.want, count, c.genotype.Name)
		require.NoError(t, n.Close())
	}
}
