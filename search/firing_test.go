package search

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// With all gains of normalisation 0, its offsets alone are the currents: they
// decide which layers fire. The stem and the one node have as many neurons.
func TestFiringRate(t *testing.T) {
	s := begin(t, 3)
	o := tinyOptions(0)
	o.Head = HeadRate
	n := newNetwork(t, wired(t, [][2]int{{0, 1}, {1, 2}}, nil), o)
	images := s.Full(torch.CPU(), 0.5, 2, 1, 4, 4)
	c := s.WithoutGradient()
	defer c.Close()
	fill := func(name string, value float64) {
		filled := 0
		for _, v := range n.Variables().All() {
			if strings.HasSuffix(v.Name, name) {
				c.Tensor("aten::fill_.Scalar", v.Value, value)
				filled++
			}
		}
		require.Positive(t, filled, name)
		require.NoError(t, c.Err())
	}
	fill("norm.weight", 0)
	for _, k := range []struct{ stem, node, want float64 }{
		{1, 1, 1}, {-9, -9, 0}, {1, -9, 0.5}, {-9, 1, 0.5},
	} {
		fill("norm.bias", k.node)
		fill("stem.norm.bias", k.stem)
		p, err := n.Program(Input{Height: 4, Width: 4, Mean: []float64{0}, Deviation: []float64{1}})
		require.NoError(t, err)
		rate, err := p.FiringRate(images)
		require.NoError(t, err)
		require.NoError(t, p.Close())
		assert.Equal(t, k.want, rate, "%+v", k)
	}
}
