package genotype

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewChoosesDownsampling(t *testing.T) {
	g, err := New("one", PublishedFeature(), nil)
	require.NoError(t, err)
	assert.Equal(t, DownsampleNearest, g.Downsample())
	assert.Nil(t, g.Reduction())
	assert.False(t, g.FollowsPath())

	reduction := PublishedMatching()
	g, err = New("two", PublishedFeature(), &reduction)
	require.NoError(t, err)
	assert.Equal(t, DownsampleReduction, g.Downsample())
	reduction.Edges[0].Op = Skip
	assert.Equal(t, PublishedMatching(), *g.Reduction(), "the genotype owns its cells")
}

func TestValidateFaults(t *testing.T) {
	cases := map[string]struct {
		change func(*Genotype)
		want   string
	}{
		"no name":       {func(g *Genotype) { g.Name = "" }, "name: empty"},
		"two-line name": {func(g *Genotype) { g.Name = "a\nb" }, "name: holds a line break"},
		"broken origin": {func(g *Genotype) { g.Origin = "\xff" }, "origin: not valid UTF-8"},
		"no ops":        {func(g *Genotype) { g.Ops = nil }, "ops: empty"},
		"unknown op":    {func(g *Genotype) { g.Ops[1] = "conv" }, `ops[1]: unknown operation "conv"`},
		"op twice":      {func(g *Genotype) { g.Ops[2] = "snn_b3" }, "ops[2]: snn_b3 is listed twice"},
		"op not listed": {func(g *Genotype) { g.Ops = g.Ops[:2] }, "normal.edges[2].op: snn_b5 is not among the candidates"},
		"no subnets":    {func(g *Genotype) { g.Subnets = nil }, "subnets: empty"},
		"bad reduction": {func(g *Genotype) { g.Subnets[1].Cell.Edges[3].Index = 9 }, "reduction.edges[3].edge: 9 is out of range"},
		"unequal nodes": {func(g *Genotype) {
			g.Subnets[1].Cell.Nodes, g.Subnets[1].Cell.Edges = 2, g.Subnets[1].Cell.Edges[:4]
		}, "reduction.nodes: 2, but normal.nodes is 3"},
		"level":       {func(g *Genotype) { g.Subnets[0].Levels = []int{0, 1, 2, 3, 4} }, "normal.levels[4]: level 4 is out of range"},
		"level below": {func(g *Genotype) { g.Subnets[0].Levels = []int{-1} }, "normal.levels[0]: level -1 is out of range"},
		"jump":        {func(g *Genotype) { g.Subnets[0].Levels = []int{0, 2} }, "normal.levels[1]: level jumps from 0 to 2"},
		"first jump":  {func(g *Genotype) { g.Subnets[0].Levels = []int{2} }, "normal.levels[0]: level jumps from 0 to 2"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			g := twoCells(t)
			require.NoError(t, g.Validate())
			c.change(&g)
			err := g.Validate()
			require.ErrorIs(t, err, ErrInvalid)
			assert.ErrorContains(t, err, "invalid genotype: "+c.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestPublishedPathsAreValid(t *testing.T) {
	for _, path := range [][]int{nil, {1, 0}, {1, 2, 2, 1}, {0, 0, 1, 1, 1, 2, 2, 2}, {1, 1, 2, 2, 1, 2, 2, 2, 1, 1, 0, 1}} {
		g := mustPreset(t)
		g.Subnets[0].Levels = path
		assert.NoError(t, g.Validate(), path)
		g.Subnets[0].Levels, g.Subnets[0].Path = nil, path
		assert.NoError(t, g.Validate(), path)
	}
}

// TestHashIsStable spells out the canonical form: stored hashes must not change.
func TestHashIsStable(t *testing.T) {
	canonical := "downsample nearest\nnormal 3\n" +
		"0 snn_b3\n1 snn_b3\n2 snn_b3\n3 snn_b5\n7 snn_b3\n8 snn_b3\n" +
		"path [0 0 1 1 1 2 2 2]\n"
	sum := sha256.Sum256([]byte(canonical))
	assert.Equal(t, hex.EncodeToString(sum[:])[:12], mustPreset(t).Hash())
	assert.Equal(t, "f74981d4a01c", mustPreset(t).Hash())
}

func TestHashSeesWiringOnly(t *testing.T) {
	same := map[string]func(*Genotype){
		"name":   func(g *Genotype) { g.Name = "other" },
		"origin": func(g *Genotype) { g.Origin = "other" },
		"rank":   func(g *Genotype) { e := g.Normal().Edges; e[0], e[1] = e[1], e[0] },
	}
	different := map[string]func(*Genotype){
		"op":         func(g *Genotype) { g.Subnets[0].Cell.Edges[0].Op = Skip },
		"edge":       func(g *Genotype) { g.Subnets[0].Cell.Edges[2].Index = 4 },
		"reduction":  func(g *Genotype) { g.Subnets[1].Cell.Edges[0].Op = Skip },
		"swap cells": func(g *Genotype) { n := g.Subnets; n[0].Cell, n[1].Cell = n[1].Cell, n[0].Cell },
		"path":       func(g *Genotype) { g.Subnets[0].Levels = []int{0} },
		"downsample": func(g *Genotype) { g.Subnets = g.Subnets[:1] },
	}
	original := twoCells(t).Hash()
	for name, change := range same {
		g := twoCells(t)
		change(&g)
		assert.Equal(t, original, g.Hash(), name)
	}
	seen := map[string]string{original: "original"}
	for name, change := range different {
		g := twoCells(t)
		change(&g)
		require.NoError(t, g.Validate(), name)
		assert.Empty(t, seen[g.Hash()], name)
		seen[g.Hash()] = name
	}
}
