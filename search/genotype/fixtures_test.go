package genotype

import (
	"math/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var publishedFeatureRows = [][2]int{{1, 1}, {0, 1}, {3, 2}, {2, 1}, {7, 1}, {8, 1}}

// mustPreset returns the published classification genotype.
func mustPreset(t testing.TB) Genotype {
	t.Helper()
	g, err := Preset(PresetClassificationN3)
	require.NoError(t, err)
	return g
}

// twoCells returns a genotype with a normal and a reduction cell.
func twoCells(t testing.TB) Genotype {
	t.Helper()
	reduction := PublishedMatching()
	g, err := New("two cells", PublishedFeature(), &reduction)
	require.NoError(t, err)
	return g
}

// randomCell draws two distinct edges per node and any operations.
func randomCell(r *rand.Rand, nodes int) Cell {
	c := Cell{Nodes: nodes}
	for node := range nodes {
		for _, src := range r.Perm(2 + node)[:2] {
			c.Edges = append(c.Edges, Edge{Index: EdgeIndex(node, Source(src)), Op: Op(r.Intn(NumOps))})
		}
	}
	return c
}

// fourNodes returns a genotype with two cells of four nodes and every operation.
func fourNodes(t testing.TB) Genotype {
	t.Helper()
	normal, err := NewCell([][2]int{{1, 2}, {0, 2}, {4, 1}, {2, 0}, {8, 1}, {7, 2}, {9, 1}, {13, 1}})
	require.NoError(t, err)
	reduction, err := NewCell([][2]int{{1, 2}, {0, 0}, {2, 2}, {3, 2}, {6, 1}, {7, 0}, {9, 1}, {12, 2}})
	require.NoError(t, err)
	g, err := New("four nodes", normal, &reduction)
	require.NoError(t, err)
	return g
}

// stereoPreset returns the published stereo genotype.
func stereoPreset(t testing.TB) Genotype {
	t.Helper()
	g, err := Preset(PresetStereo)
	require.NoError(t, err)
	return g
}

// all are genotypes of every form by name.
func all(t testing.TB) map[string]Genotype {
	t.Helper()
	return map[string]Genotype{
		"preset-n3": mustPreset(t), "two-cells": twoCells(t), "four-nodes": fourNodes(t), "on-path": onPath(t), "stereo": stereoPreset(t),
	}
}

// old is a genotype as versions 1 and 2, and version 1 of stereo's own format, wrote it.
func old(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "old", name+".json"))
	require.NoError(t, err)
	return string(data)
}
