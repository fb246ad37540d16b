package genotype

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// onPath returns a genotype of a search of layers, whose path goes up again.
func onPath(t testing.TB) Genotype {
	t.Helper()
	g, err := NewOnPath("on a path", PublishedFeature(), []int{1, 2, 1, 0, 1})
	require.NoError(t, err)
	return g
}

func TestNewOnPath(t *testing.T) {
	path := []int{0, 1, 2, 3, 2}
	g, err := NewOnPath("on a path", PublishedFeature(), path)
	require.NoError(t, err)
	assert.True(t, g.FollowsPath())
	path[0] = 1
	assert.Equal(t, []int{0, 1, 2, 3, 2}, g.Path(), "the genotype owns its path")
	assert.False(t, mustPreset(t).FollowsPath(), "the published path is a record")

	for want, path := range map[string][]int{
		"path: empty":                           nil,
		"path[0]: level jumps from 0 to 2":      {2},
		"path[2]: level jumps from 0 to 2":      {1, 0, 2},
		"path[4]: level 4 is out of range":      {0, 1, 2, 3, 4},
		"path[1]: level -1 is out of range":     {0, -1},
		"path[3]: level jumps from 3 to 1; cha": {1, 2, 3, 1},
	} {
		_, err := NewOnPath("x", PublishedFeature(), path)
		require.ErrorIs(t, err, ErrInvalid)
		assert.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "\n")
	}
	_, err = NewOnPath("", PublishedFeature(), []int{0})
	assert.ErrorIs(t, err, ErrInvalid)
}

// A file of version 2, which has a path to follow, changed one text at a time.
func TestParsePath(t *testing.T) {
	data := old(t, "on-path")
	for want, change := range map[string][2]string{
		"path: empty although version is 2; list the level": {"[1, 2, 1, 0, 1]", "[]"},
		"normal.path[0]: level jumps from 0 to 3":           {"[1, 2, 1, 0, 1]", "[3]"},
		"path[1]: found a string; write a number":           {"[1, 2, 1, 0, 1]", `[1, "2"]`},
		`path[1]: "0.5" is not a whole number`:              {"[1, 2, 1, 0, 1]", "[1, 0.5]"},
		"path: found null; write an array":                  {"[1, 2, 1, 0, 1]", "null"},
		"path: found a number; write an array":              {"[1, 2, 1, 0, 1]", "7"},
		"path: empty although version is 2; ":               {`"path": [1, 2, 1, 0, 1],`, ""},
		`reduction: missing although downsample`:            {`"nearest"`, `"reduction"`},
		"version: 4 was written by a newer version":         {`"version": 2`, `"version": 4`},
	} {
		refuses(t, data, change[0], change[1], want)
	}
	// Version 1 with the same path is the record it was, and valid.
	record, err := Parse([]byte(strings.Replace(data, `"version": 2`, `"version": 1`, 1)))
	require.NoError(t, err)
	assert.False(t, record.FollowsPath())
	assert.Equal(t, onPath(t).Path(), record.Subnet(Normal).Levels)
	assert.Equal(t, onPath(t).Hash(), record.Hash())
}

// The drawing has the trellis over the cell: one column a cell, four levels.
func TestDrawingOfAPath(t *testing.T) {
	g := onPath(t)
	texts := svgTexts(t, drawSVG(t, g))
	for _, word := range []string{"stem", "cell 0", "cell 4", "level 0", "level 3", "n2", "out"} {
		assert.Contains(t, texts, word)
	}
	assert.NotContains(t, texts, "cell 5")
	assert.NotContains(t, svgTexts(t, drawSVG(t, mustPreset(t))), "level 0")
	assert.Contains(t, Text(g), "path 1 2 1 0 1")
	r := newPage(g).rows[0]
	assert.GreaterOrEqual(t, r.panels[0].at.y, r.pathAt.y+r.path.height())
	g.Subnets[0].Path = make([]int, 40)
	p := newPage(g)
	r = p.rows[0]
	assert.LessOrEqual(t, r.pathAt.x+r.path.width(), p.width-pageMargin, "long paths widen the page")

	texts = svgTexts(t, drawSVG(t, stereoPreset(t)))
	for _, word := range []string{"feature network, path 1 0", "matching network, path 1 2 2 1", "cell 3"} {
		assert.Contains(t, texts, word)
	}
	rows := newPage(stereoPreset(t)).rows
	require.Len(t, rows, 2, "a row for each subnet")
	first := rows[0].panels[0]
	assert.GreaterOrEqual(t, rows[1].at.y, first.at.y+first.height)
}

func TestRandomPaths(t *testing.T) {
	set, err := RandomSetOnPath(3, 200, 2, 4, 4)
	require.NoError(t, err)
	seen, moves := map[string]bool{}, map[[2]int]int{}
	for _, g := range set {
		require.NoError(t, g.Validate())
		require.True(t, g.FollowsPath())
		require.Len(t, g.Path(), 4)
		require.False(t, seen[g.Hash()])
		seen[g.Hash()] = true
		before := 0
		for _, level := range g.Path() {
			moves[[2]int{before, level}]++
			before = level
		}
	}
	assert.Len(t, moves, 10, "every move of four levels, at both borders too")
	again, err := RandomSetOnPath(3, 20, 2, 4, 4)
	require.NoError(t, err)
	for i, g := range again {
		assert.Equal(t, set[i].Hash(), g.Hash(), "a smaller set is the beginning of a larger one")
	}
	_, err = RandomOnPath(rand.New(rand.NewPCG(1, 1)), 0, 4, 4)
	assert.ErrorIs(t, err, ErrInvalid)
	for _, levels := range []int{0, 5} {
		_, err = RandomOnPath(rand.New(rand.NewPCG(1, 1)), 2, 4, levels)
		assert.ErrorIs(t, err, ErrInvalid)
	}
	fine, err := RandomSetOnPath(3, 300, 2, 4, 2)
	require.NoError(t, err)
	paths := map[string]bool{}
	for _, g := range fine {
		assert.LessOrEqual(t, slices.Max(g.Path()), 1)
		paths[fmt.Sprint(g.Path())] = true
	}
	assert.Len(t, paths, 16, "every path on levels 0 and 1")
	_, err = RandomOnPath(rand.New(rand.NewPCG(1, 1)), 2, 0, 4)
	assert.ErrorIs(t, err, ErrInvalid)
	_, err = RandomSetOnPath(1, 100, 1, 1, 4)
	assert.ErrorContains(t, err, "with 1 node(s) and 1 layer(s) on 4 level(s) there are only 18")
}
