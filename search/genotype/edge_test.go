package genotype

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEdgeNumbering counts edges one after the other, as the rule is worded.
func TestEdgeNumbering(t *testing.T) {
	edge := 0
	for node := range MaxNodes {
		assert.Equal(t, edge, Edges(node))
		for src := range Source(2 + node) {
			assert.Equal(t, edge, EdgeIndex(node, src))
			gotSrc, gotNode := EdgeEnds(edge)
			assert.Equal(t, src, gotSrc)
			assert.Equal(t, node, gotNode)
			assert.Equal(t, src, Edge{Index: edge}.Source())
			assert.Equal(t, node, Edge{Index: edge}.Node())
			edge++
		}
	}
	assert.Equal(t, edge, Edges(MaxNodes))
	assert.Equal(t, 9, Edges(3))
	assert.Equal(t, 14, Edges(4))
}

func TestEdgesThatDoNotExist(t *testing.T) {
	assert.Equal(t, -1, EdgeIndex(-1, S0))
	assert.Equal(t, -1, EdgeIndex(MaxNodes, S0))
	assert.Equal(t, -1, EdgeIndex(0, -1))
	assert.Equal(t, -1, EdgeIndex(0, FromNode(0)), "a node is no input of itself")
	assert.Equal(t, -1, EdgeIndex(2, FromNode(2)))
	for _, edge := range []int{-1, Edges(MaxNodes), int(^uint(0) >> 1)} {
		src, node := EdgeEnds(edge)
		assert.Equal(t, Source(-1), src)
		assert.Equal(t, -1, node)
	}
}

func TestSourceNames(t *testing.T) {
	assert.Equal(t, "s0", S0.String())
	assert.Equal(t, "s1", S1.String())
	assert.Equal(t, "n0", FromNode(0).String())
	assert.Equal(t, "n6", FromNode(6).String())
	k, ok := FromNode(3).Node()
	assert.True(t, ok)
	assert.Equal(t, 3, k)
	_, ok = S1.Node()
	assert.False(t, ok)
}

func TestOps(t *testing.T) {
	assert.Equal(t, []string{"skip_connect", "snn_b3", "snn_b5"}, OpNames())
	for i, name := range OpNames() {
		op, err := parseOp("op", name)
		require.NoError(t, err)
		assert.Equal(t, Op(i), op)
		assert.Equal(t, name, op.String())
	}
	assert.Equal(t, []float64{3, 3, 5}, []float64{Skip.Temperature(), B3.Temperature(), B5.Temperature()})
	assert.Equal(t, []string{"skip", "b3", "b5"}, []string{Skip.Label(), B3.Label(), B5.Label()})

	_, err := parseOp("op", "conv")
	require.ErrorIs(t, err, ErrInvalid)
	assert.EqualError(t, err, `invalid genotype: op: unknown operation "conv"; use one of skip_connect, snn_b3, snn_b5`)
	assert.False(t, Op(3).Valid())
	assert.False(t, Op(-1).Valid())
	assert.Equal(t, "Op(3)", Op(3).String())
	assert.Equal(t, "Op(-1)", Op(-1).Label())
	assert.Zero(t, Op(3).Temperature())
}
