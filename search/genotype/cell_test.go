package genotype

import (
	"math/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPublishedCellsReadAsPublished(t *testing.T) {
	assert.Equal(t, publishedFeatureRows, PublishedFeature().Rows())
	assert.Equal(t, [][2]int{{0, 1}, {1, 2}, {4, 2}, {3, 2}, {8, 1}, {6, 1}}, PublishedMatching().Rows())
	assert.Equal(t, []string{"n0 = b3(s1) + b3(s0)", "n1 = b5(s1) + b3(s0)", "n2 = b3(n0) + b3(n1)"},
		PublishedFeature().Equations())
	assert.Equal(t, []string{"n0 = b3(s0) + b5(s1)", "n1 = b5(n0) + b5(s1)", "n2 = b3(n1) + b3(s1)"},
		PublishedMatching().Equations())
	assert.NoError(t, PublishedFeature().Validate())
	assert.NoError(t, PublishedMatching().Validate())
}

// TestNewCellKeepsPairs guards against sorting the two columns on their own,
// which would move b5 from edge 3 to edge 8.
func TestNewCellKeepsPairs(t *testing.T) {
	c, err := NewCell(publishedFeatureRows)
	require.NoError(t, err)
	assert.Equal(t, PublishedFeature(), c)
	for _, e := range c.Edges {
		assert.Equal(t, e.Index == 3, e.Op == B5, "edge %d", e.Index)
	}
}

func TestNewCellGroupsRowsByNode(t *testing.T) {
	mixed := [][2]int{{7, 1}, {3, 2}, {1, 1}, {8, 1}, {0, 1}, {2, 1}}
	c, err := NewCell(mixed)
	require.NoError(t, err)
	assert.Equal(t, PublishedFeature(), c)
	assert.Equal(t, [2]int{7, 1}, mixed[0], "the rows of the caller stay as they are")
}

func TestNewCellInvertsRows(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for nodes := 1; nodes <= MaxNodes; nodes++ {
		c := randomCell(r, nodes)
		require.NoError(t, c.Validate())
		again, err := NewCell(c.Rows())
		require.NoError(t, err)
		assert.Equal(t, c, again)
	}
}

func TestNewCellFaults(t *testing.T) {
	cases := map[string]struct {
		rows [][2]int
		want string
	}{
		"none":      {nil, "rows: 0 node(s)"},
		"odd":       {publishedFeatureRows[:5], "rows: 5 rows"},
		"too many":  {make([][2]int, 18), "rows: 9 node(s)"},
		"edge":      {[][2]int{{0, 1}, {2, 1}}, "rows[1].edge: 2 is out of range"},
		"op":        {[][2]int{{0, 1}, {1, 3}}, "rows[1].op: 3 is not an operation"},
		"duplicate": {[][2]int{{0, 1}, {0, 2}}, "cell.edges[1].edge: edge 0 is listed twice"},
		"balance":   {[][2]int{{0, 1}, {2, 1}, {3, 1}, {4, 1}}, "cell.edges: node 0 has 1 edge(s)"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := NewCell(c.rows)
			require.ErrorIs(t, err, ErrInvalid)
			assert.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestCellValidateFaults(t *testing.T) {
	cases := map[string]struct {
		cell Cell
		want string
	}{
		"nodes":    {Cell{}, "cell.nodes: 0 node(s)"},
		"too few":  {Cell{Nodes: 1, Edges: []Edge{{0, B3}}}, "cell.edges: node 0 has 1 edge(s)"},
		"too many": {Cell{Nodes: 1, Edges: []Edge{{0, B3}, {1, B3}, {0, B5}}}, "cell.edges: node 0 has 3 edge(s)"},
		"order":    {Cell{Nodes: 2, Edges: []Edge{{2, B3}, {3, B3}, {0, B5}, {1, B5}}}, "cell.edges[0]: edge 2 leads to node 1"},
		"op":       {Cell{Nodes: 1, Edges: []Edge{{0, -1}, {1, B3}}}, "cell.edges[0].op: -1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := c.cell.Validate()
			require.ErrorIs(t, err, ErrInvalid)
			assert.True(t, strings.Contains(err.Error(), c.want), err)
		})
	}
}
