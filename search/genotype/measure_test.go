package genotype

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSkipShare(t *testing.T) {
	assert.Zero(t, SkipShare(Cell{}))
	assert.Zero(t, SkipShare(PublishedFeature()))
	c := PublishedFeature()
	c.Edges[0].Op, c.Edges[5].Op, c.Edges[2].Op = Skip, Skip, Skip
	assert.Equal(t, 0.5, SkipShare(c))
}

func TestEntropy(t *testing.T) {
	nats, share, err := Entropy(repeatRow(4, []float64{7, 7, 7}))
	require.NoError(t, err)
	assert.InDelta(t, 1.0986122886681098, nats, 1e-15, "ln 3")
	assert.InDelta(t, 1, share, 1e-15)

	nats, share, err = Entropy([][]float64{{0, 5000, -5000}})
	require.NoError(t, err)
	assert.Zero(t, nats)
	assert.Zero(t, share)

	// Probabilities 1/2, 1/4, 1/4 have 1.5 bits; the mean with 0 is 0.75.
	nats, share, err = Entropy([][]float64{{math.Ln2, 0, 0}, {0, 5000, -5000}})
	require.NoError(t, err)
	assert.InDelta(t, 0.75*math.Ln2, nats, 1e-15)
	assert.InDelta(t, 0.75*math.Ln2/math.Log(3), share, 1e-15)
}

func TestEntropyFaults(t *testing.T) {
	for _, alpha := range [][][]float64{nil, {{1, 2}}, {{1, 2, math.NaN()}}, {{1, 2, math.Inf(1)}}} {
		_, _, err := Entropy(alpha)
		assert.ErrorIs(t, err, ErrAlpha)
	}
}
