package main

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sums adds up what the nodes of a printed graph say, and checks that each reads earlier ones.
func sums(t *testing.T, v map[string]any) (parameters, macs float64) {
	t.Helper()
	inputs := len(v["inputs"].([]any))
	for i, one := range v["nodes"].([]any) {
		n := one.(map[string]any)
		for _, k := range n["inputs"].([]any) {
			assert.True(t, k.(float64) < float64(i) && k.(float64) >= float64(-inputs), "node %d reads %v", i, k)
		}
		parameters, macs = parameters+number(t, n, "parameters"), macs+number(t, n, "macs")
	}
	assert.Equal(t, number(t, v, "parameters"), parameters)
	assert.Equal(t, number(t, v, "macs"), macs)
	return parameters, macs
}

// The graph counts what genotype params does, and folding leaves of each normalisation
// nothing but a bias: two numbers a channel less, and the same arithmetic.
func TestGraphOfAGenotype(t *testing.T) {
	t.Chdir(t.TempDir())
	args := []string{"--config", "cifar10-n3", "--set", "train.auxiliary_weight=0", "--json"}
	v := object(t, done(t, append([]string{"graph", "spikedhs-cla-n3"}, args...)...))
	parameters, macs := sums(t, v)
	assert.Equal(t, 14_293_758.0, parameters)
	want := object(t, done(t, "genotype", "params", "--config", "cifar10-n3", "--json"))
	assert.Equal(t, number(t, want, "macs"), macs)

	folded := object(t, done(t, append([]string{"graph", "spikedhs-cla-n3", "--after", "folded"}, args...)...))
	assert.Equal(t, "folded", folded["after"])
	left, same := sums(t, folded)
	assert.Equal(t, macs, same)
	channels := 0.0
	for _, one := range folded["nodes"].([]any) {
		if n := one.(map[string]any); number(t, n, "parameters") > 0 {
			channels += n["shape"].([]any)[1].(float64)
		}
	}
	assert.Equal(t, parameters-2*channels, left)

	out := done(t, "graph", "spikedhs-cla-n3", "--config", "cifar10-n3").stdout
	assert.Regexp(t, `(?m)^ +0 +stem0 +conv +144x32x32 once +4,320 +3,981,312 +images $`, out)
	assert.Regexp(t, `(?m)^ +3 +cell0.node0 +node +48x32x32 +0 +0 +2 1 $`, out)
	refused(t, []string{"graph"}, "name one run folder or genotype")
	refused(t, []string{"graph", "nowhere.json"}, "nowhere.json")
	refused(t, []string{"graph", "spikedhs-cla-n3", "--after", "lunch"}, "choose one of training, folded")
	refused(t, []string{"graph", "spikedhs-stereo", "--config", "cifar10-n3"}, "is a genotype for stereo")
}

// Networks of two views, whose depth lies in the images.
func TestGraphOfTwoViews(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, after := range []string{"training", "folded"} {
		v := object(t, done(t, "graph", "spikedhs-stereo", "--after", after, "--json"))
		assert.Equal(t, []any{"left", "right"}, v["inputs"])
		parameters, _ := sums(t, v)
		assert.InDelta(t, 870_000, parameters, 10_000, "the paper's 0.87 M")
		nodes := v["nodes"].([]any)
		assert.Equal(t, []any{-1.0, -2.0}, nodes[0].(map[string]any)["inputs"])
		assert.Equal(t, []any{1.0, 32.0, 260.0, 346.0}, nodes[len(nodes)-1].(map[string]any)["shape"])
	}
}

// A run has its configuration; its drawing is well-formed and names every node.
func TestGraphOfARun(t *testing.T) {
	inWorkFolder(t)
	trained(t, "run")
	v := object(t, done(t, "graph", "run", "--json"))
	assert.Equal(t, "hand-made", v["genotype"])
	first := v["nodes"].([]any)[0].(map[string]any)
	assert.Equal(t, []any{1.0, 6.0, 32.0, 32.0}, first["shape"], "F = 3, two nodes")
	done(t, "graph", "run", "--svg", "run.svg")
	picture, err := os.ReadFile("run.svg")
	require.NoError(t, err)
	decoder := xml.NewDecoder(strings.NewReader(string(picture)))
	for err = nil; err == nil; {
		_, err = decoder.Token()
	}
	require.ErrorIs(t, err, io.EOF)
	for _, one := range v["nodes"].([]any) {
		assert.Contains(t, string(picture), ">"+one.(map[string]any)["name"].(string)+"<")
	}
	require.NoError(t, os.Remove(filepath.Join("run", "genotype.json")))
	refused(t, []string{"graph", "run"}, "genotype.json")
}
