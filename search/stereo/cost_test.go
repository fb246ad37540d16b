package stereo

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// multiplications of the convolutions in one time step over stacks of the given size: two
// views through the feature network, one volume through the matching network.
func multiplications(n *Network, height, width int) (feature, matching int64) {
	view := graph.Shape{Images: 1, Channels: n.Options.Channels, Height: height, Width: width}
	for _, l := range search.Layers(n.graph, view, view) {
		if strings.HasPrefix(l.Name, "feature.") {
			feature += l.MultiplyAdds()
		} else {
			matching += l.MultiplyAdds()
		}
	}
	return feature, matching
}

// The figures for a full frame, in units of 10 M.
func TestMACs(t *testing.T) {
	begin(t, 50)
	feature, matching := multiplications(newNetwork(t, Options{Stems: StemsL}), 260, 346)
	assert.InDelta(t, 2*0.30e9, float64(feature), 0.01e9)
	assert.InDelta(t, 18.86e9, float64(matching), 0.01e9)
	assert.InDelta(t, 19.46e9, float64(feature+matching), 0.01e9)
	layer := func(in, out int) int { return 21 * 88 * 116 * in * out * 27 }
	assert.InDelta(t, 6.67e9, float64(layer(48, 24)), 0.01e9)
	assert.InDelta(t, 3.33e9, float64(layer(24, 24)), 0.01e9)
}

// A program counts the spikes that its layers read; dense, its layers are the
// multiplications of a step, and every convolution behind the first reads spikes.
func TestActivity(t *testing.T) {
	s := begin(t, 51)
	for _, stem := range []search.Stem{search.StemSpike, search.StemReLU} {
		o := tiny()
		o.Stem = stem
		n := newNetwork(t, o)
		unsettle(t, s, n.Variables())
		p := newProgramOf(t, n)
		left, right := stacks(t, s, int64(o.Steps), 42, 54)
		a, err := p.Measure(left, right)
		require.NoError(t, err)
		assert.Equal(t, o.Steps, a.Images)
		feature, matching := multiplications(n, 42, 54)
		assert.Equal(t, feature+matching, a.Dense)
		assert.Equal(t, graph.ReadsEvents, a.Layers[0].Reads)
		assert.Equal(t, stem == search.StemSpike, a.Binary)
		assert.InEpsilon(t, float64(a.Dense)*graph.MACEnergy*1e-9, a.ANNEnergy, 1e-9)
		if a.Binary {
			assert.Zero(t, a.MACs)
			assert.InEpsilon(t, a.Additions*graph.AdditionEnergy*1e-9, a.Energy, 1e-9)
			assert.Greater(t, a.FiringRate, 0.01)
		}

		// The first layer of the matching network, counted from its own input.
		var rate float64
		p.RunWith(s, graph.Settings{Watch: func(c *torch.Scope, v graph.Value, x torch.Tensor) {
			if _, ok := p.Nodes()[v].Op.(graph.Volume); ok {
				rate = c.Item(c.Mean(x))
			}
		}}, left, right)
		require.NoError(t, s.Err())
		for _, l := range a.Layers {
			if l.Name == "matching_stem_layers_0" {
				assert.InDelta(t, rate, l.Rate, 1e-6)
				assert.Equal(t, 1, l.Steps)
				rate = -1
			}
		}
		assert.EqualValues(t, -1, rate, "no such layer")
	}
}
