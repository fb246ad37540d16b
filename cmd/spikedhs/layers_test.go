package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/run"
)

// Layers are searched, and the path that was found is shown, drawn, counted, trained,
// evaluated and exported.
func TestLayerSearchFromEndToEnd(t *testing.T) {
	inWorkFolder(t)
	layers := []string{"--config", "tiny.toml", "--set", "search.layer_search=true", "--set", "network.downsample=nearest"}
	r := done(t, append([]string{"search", "--out", "found", "-v"}, layers...)...)
	require.Regexp(t, `entropy of beta [01]\.[0-9]{3}, path \[[0-3 ]+\]`, r.stderr)
	require.Regexp(t, `path [0-3] [0-3] [0-3], hash`, r.stdout)
	file := filepath.Join("found", run.GenotypeFile)
	g, err := genotype.Load(file)
	require.NoError(t, err)
	require.True(t, g.FollowsPath())
	require.Len(t, g.Path(), 3)

	// The rest on a path that goes up, whatever was found.
	g.Subnets[0].Path = []int{1, 2, 1}
	require.NoError(t, g.Save("up.json"))
	require.Contains(t, done(t, "genotype", "show", "up.json").stdout, "path 1 2 1, hash "+g.Hash())
	require.Contains(t, done(t, "genotype", "show", "up.json", "--svg", "-").stdout, ">level 3</text>")
	counted := object(t, done(t, "genotype", "params", "up.json", "--config", "tiny.toml", "--json"))
	var grids []float64
	for _, part := range counted["parts"].([]any) {
		grids = append(grids, part.(map[string]any)["output"].([]any)[1].(float64))
	}
	require.Equal(t, []float64{32, 16, 8, 16, 1}, grids, "stem, cells, head")

	r = done(t, "train", "--config", "tiny.toml", "--genotype", "up.json", "--out", "run", "-v", "--set", "train.epochs=1")
	require.Contains(t, r.stderr, "the levels are the path of the genotype")
	require.Contains(t, r.stdout, "path      [1 2 1]: the levels of the cells, from the genotype")
	refused(t, []string{"train", "--config", "tiny.toml", "--genotype", "up.json", "--out", "no", "--set", "network.levels=[0, 1]"},
		"--set network.levels contradicts genotype searched on fashion-mnist, whose cells have the levels [1 2 1] of its path; leave one of the two out")
	require.NoDirExists(t, "no")
	done(t, "eval", "--run", "run")
	out := done(t, "export", "--run", "run", "--check", "--check-images", "40").stdout
	require.Contains(t, out, "40")
	done(t, "report", "run")

	// Random members of the same space.
	done(t, append([]string{"search", "--random", "3", "--out", "drawn"}, layers...)...)
	files, err := filepath.Glob(filepath.Join("drawn", "genotypes", "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 3)
	for _, name := range files {
		g, err := genotype.Load(name)
		require.NoError(t, err)
		require.Len(t, g.Path(), 3)
	}

	refused(t, []string{"search", "--config", "tiny.toml", "--out", "no", "--set", "search.layer_search=true"},
		`set network.downsample = "nearest", not "reduction"`)
	refused(t, append([]string{"search", "--out", "no", "--set", "network.stem_strides=[3, 3]"}, layers...), "search.layer_search = true: 3 cells may reach level 3")
	refused(t, append([]string{"demo", "--out", "no", "--set", "search.layer_search=true"}, "--set", "network.downsample=nearest"),
		"demo: it searches cells on fixed levels")
	_, err = os.Stat("no")
	require.ErrorIs(t, err, os.ErrNotExist)
}
