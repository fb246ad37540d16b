package stereo

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/torch"
)

func TestSpikingLayers(t *testing.T) {
	begin(t, 40)
	n := newNetwork(t, tiny())
	all, err := n.SpikingLayers()
	require.NoError(t, err)
	names := map[string]bool{}
	for _, l := range all {
		names[l.Name] = true
	}
	assert.Len(t, names, len(all), "names differ")
	assert.Len(t, all, 2+2*3+2+4*3, "stems and nodes of both subnets")
	for _, name := range []string{"feature.stem0", "feature.stem1", "feature.cell1.node2", "matching.stem1", "matching.cell3.node0"} {
		assert.True(t, names[name], name)
	}
	again, err := n.SpikingLayers("matching.cell2", "feature.stem0")
	require.NoError(t, err)
	assert.Len(t, again, 4)
	_, err = n.SpikingLayers("stem0")
	assert.ErrorIs(t, err, dgs.ErrUnknownLayer)
}

// What a search of surrogates sees is what the network computes: the readings of all
// layers, two- and three-dimensional, come from passes with the loss of a plain one,
// and leave the running statistics alone.
func TestLayersUnderWatch(t *testing.T) {
	s := begin(t, 41)
	n := newNetwork(t, tiny())
	left, right := stacks(t, s, 2*2, 42, 54)
	var losses []float64
	loss := func(s *torch.Scope) torch.Tensor {
		cost := n.Forward(training(s), left, right)
		l := s.Mean(s.Mul(cost, cost))
		losses = append(losses, s.Item(l))
		return l
	}
	c := torch.NewScope()
	loss(c)
	require.NoError(t, c.Close())
	layers, err := n.SpikingLayers()
	require.NoError(t, err)
	before := read(t, n.Buffers()[0])
	readings, err := dgs.Measure(layers, loss, n.Buffers(), 0)
	require.NoError(t, err)
	require.Len(t, readings, len(layers))
	require.Len(t, losses, 2)
	assert.InDelta(t, losses[0], losses[1], 1e-3*losses[0])
	assert.Equal(t, before, read(t, n.Buffers()[0]))
	for i, r := range readings {
		assert.Equal(t, layers[i].Name, r.Layer)
		assert.InDelta(t, 3, r.Temperature, 1e-6)
		assert.Positive(t, r.Rate, r.Layer)
	}
}
