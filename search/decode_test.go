package search

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

// Decode reads the genotype off alphas that are set by hand.
func TestDecode(t *testing.T) {
	begin(t, 36)
	n := newSupernet(t, 2, genotype.DownsampleReduction, tinyOptions(0, 1))
	c := torch.NewInference()
	defer c.Close()
	c.CopyTo(n.normal, torch.FromSlice(c, []float32{
		0, 3, 0, // s0 to n0: b3
		0, 0, 4, // s1 to n0: b5, stronger
		0, 2, 0, // s0 to n1: b3, the strongest
		1, 0, 0, // s1 to n1: skip; its convolutions have 0.21 each
		9, 8, 0, // n0 to n1: skip; b3 has 0.27, which ranks the edge
	}, 5, 3))
	c.CopyTo(n.reduction, torch.FromSlice(c, []float32{
		5, 1, 0, // s0 to n0: skip
		0, 1, 0, // s1 to n0: b3
		0, 0, 0, // s0 to n1: dropped
		0, 0, 3, // s1 to n1: b5
		0, 2, 0, // n0 to n1: b3
	}, 5, 3))
	require.NoError(t, c.Err())
	g, err := n.Decode("by hand")
	require.NoError(t, err)
	assert.Equal(t, "by hand", g.Name)
	assert.Equal(t, [][2]int{{1, 2}, {0, 1}, {2, 1}, {4, 0}}, g.Normal().Rows())
	assert.Equal(t, [][2]int{{1, 1}, {0, 0}, {3, 2}, {4, 1}}, g.Reduction().Rows())
	assert.Equal(t, genotype.DownsampleReduction, g.Downsample())
	normal, reduction, err := n.Alphas()
	require.NoError(t, err)
	assert.Equal(t, []float64{0, 0, 4}, normal[1])
	assert.Equal(t, []float64{5, 1, 0}, reduction[0])

	one := newSupernet(t, 2, genotype.DownsampleNearest, tinyOptions(0, 1))
	g, err = one.Decode("one cell")
	require.NoError(t, err)
	assert.Nil(t, g.Reduction())
	assert.Equal(t, genotype.DownsampleNearest, g.Downsample())
}

func TestDecodeOfAlphasThatRanAway(t *testing.T) {
	begin(t, 37)
	for _, which := range []string{"normal", "reduction"} {
		n := newSupernet(t, 2, genotype.DownsampleReduction, tinyOptions(0, 1))
		c := torch.NewInference()
		alpha, ok := n.Architecture().Lookup("alpha." + which)
		require.True(t, ok)
		c.Tensor("aten::log_", c.Tensor("aten::fill_.Scalar", alpha.Value, -1.0)) // NaN
		require.NoError(t, c.Close())
		_, err := n.Decode("none")
		require.ErrorIs(t, err, genotype.ErrAlpha)
		assert.ErrorContains(t, err, which+" cell")
	}
}
