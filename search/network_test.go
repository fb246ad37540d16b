package search

import (
	"strings"
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
	four, err := genotype.Preset("spikedhs-cla-n4")
	require.NoError(t, err)
	// The large variant: one more stem layer, two more cells (section 4.1).
	large := func(o *Options) { o.StemStrides, o.Levels = []int{2, 2}, []int{0, 0, 1, 1, 1, 2, 2, 2, 3, 3} }
	same := func(*Options) {}
	for _, c := range []struct {
		genotype       genotype.Genotype
		width, classes int
		change         func(*Options)
		want           int64
	}{
		{published, 48, 10, same, 14_293_758},
		{four, 36, 10, same, 11_691_390},
		{published, 48, 100, same, 14_345_868},
		{four, 36, 100, same, 11_743_500},
		{four, 48, 1000, large, 59_644_728},
	} {
		o := paperOptions()
		o.Width, o.Classes = c.width, c.classes
		c.change(&o)
		n, err := NewNetwork(torch.CPU(), c.genotype, o)
		require.NoError(t, err)
		count, err := n.Parameters()
		require.NoError(t, err)
		assert.Equal(t, c.want, count, "%s, %d classes", c.genotype.Name, c.classes)
		var weights int64 // the list of layers has them all, but for biases and normalisation
		for _, l := range n.Layers(224, 224) {
			if !strings.HasPrefix(l.Name, "auxiliary") {
				weights += int64(l.In)*int64(l.Out)*int64(l.Kernel*l.Kernel) + 3*int64(l.Out)
			}
		}
		assert.Equal(t, c.want, weights)
		require.NoError(t, n.Close())
	}
}

// The paper says 58 M for the large variant; the stem reduces 224x224 to 56x56,
// and the last cells work on 7x7.
func TestLargeVariantIsThatOfThePaper(t *testing.T) {
	begin(t, 1)
	four, err := genotype.Preset("spikedhs-cla-n4")
	require.NoError(t, err)
	o := paperOptions()
	o.Classes, o.Auxiliary, o.StemStrides, o.Levels = 1000, false, []int{2, 2}, []int{0, 0, 1, 1, 1, 2, 2, 2, 3, 3}
	n, err := NewNetwork(torch.CPU(), four, o)
	require.NoError(t, err)
	defer n.Close()
	count, err := n.Parameters()
	require.NoError(t, err)
	assert.InDelta(t, 58e6, float64(count), 0.05*58e6)
	grids := map[string]int{}
	for _, l := range n.Layers(224, 224) {
		grids[l.Name] = l.Height
	}
	assert.Equal(t, 112, grids["stem"])
	assert.Equal(t, 56, grids["stem1"])
	assert.Equal(t, 56, grids["cell0.from_s0"])
	assert.Equal(t, 7, grids["cell9.from_s0"])
}
