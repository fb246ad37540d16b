package genotype

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRandomIsOfTheSearchSpace(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for nodes := 1; nodes <= MaxNodes; nodes++ {
		for _, d := range []Downsample{DownsampleNearest, DownsampleReduction} {
			g, err := Random(rng, nodes, d)
			require.NoError(t, err)
			require.NoError(t, g.Validate())
			require.Equal(t, nodes, g.Normal().Nodes)
			require.Equal(t, d, g.Downsample())
			require.Equal(t, d == DownsampleReduction, g.Reduction() != nil)
		}
	}
	for _, nodes := range []int{0, -1, MaxNodes + 1} {
		_, err := Random(rng, nodes, DownsampleNearest)
		require.ErrorIs(t, err, ErrInvalid)
	}
	_, err := Random(rng, 2, "sideways")
	require.ErrorIs(t, err, ErrInvalid)
}

// TestRandomIsUniform counts the edges and operations of node 1 of many cells: 3
// pairs of edges and 9 pairs of operations.
func TestRandomIsUniform(t *testing.T) {
	const draws = 9000
	rng := rand.New(rand.NewPCG(3, 4))
	edges, ops := map[[2]int]int{}, map[[2]Op]int{}
	for range draws {
		g, err := Random(rng, 2, DownsampleNearest)
		require.NoError(t, err)
		in := g.Normal().Inputs(1)
		edges[[2]int{in[0].Index, in[1].Index}]++
		ops[[2]Op{in[0].Op, in[1].Op}]++
	}
	require.Len(t, edges, 3)
	require.Len(t, ops, 9)
	for _, n := range edges { // five standard deviations of a binomial count
		require.InDelta(t, draws/3, n, 5*45)
	}
	for _, n := range ops {
		require.InDelta(t, draws/9, n, 5*30)
	}
}

func TestRandomSet(t *testing.T) {
	set, err := RandomSet(7, 12, 3, DownsampleReduction)
	require.NoError(t, err)
	require.Len(t, set, 12)
	hashes := map[string]bool{}
	for _, g := range set {
		require.NoError(t, g.Validate())
		hashes[g.Hash()] = true
	}
	require.Len(t, hashes, 12)
	require.Equal(t, "random-01", set[0].Name)
	require.Equal(t, "random-12", set[11].Name)

	again, err := RandomSet(7, 5, 3, DownsampleReduction)
	require.NoError(t, err)
	require.Equal(t, set[:5], again)
	other, err := RandomSet(8, 5, 3, DownsampleReduction)
	require.NoError(t, err)
	require.NotEqual(t, again[0].Hash(), other[0].Hash())
}

// TestRandomSetKnowsTheSpace: one node has one pair of edges and nine of operations.
func TestRandomSetKnowsTheSpace(t *testing.T) {
	set, err := RandomSet(1, 9, 1, DownsampleNearest)
	require.NoError(t, err)
	require.Len(t, set, 9)
	_, err = RandomSet(1, 10, 1, DownsampleNearest)
	require.ErrorIs(t, err, ErrInvalid)
	require.ErrorContains(t, err, "only 9")
}
