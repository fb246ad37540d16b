package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/run"
)

// experiment runs a small one whose workers are this test binary.
func experiment(t *testing.T, args ...string) result {
	t.Helper()
	t.Setenv(asProgram, "1")
	return done(t, append([]string{"reproduce"}, args...)...)
}

func TestReproduce(t *testing.T) {
	inWorkFolder(t)
	small := []string{
		"--scale", "smoke", "--out", "out", "--device", "cpu", "--set", "data.path=images", "--set", "data.train_images=100",
		"--set", "data.test_images=50", "--set", "network.levels=[1, 2]", "--set", "train.batch=20", "--set", "search.images=80", "--set", "search.batch=20",
	}
	table1 := append([]string{"table1", "--only", "n3,binary", "--seeds", "1,2"}, small...)
	r := experiment(t, append(table1, "--jobs", "2")...)
	require.Regexp(t, `(?m)^SpikeDHS-CLA \(n3\) +three nodes a cell +[0-9,]+ +10 +0 +[0-9.]+ ± [0-9.]+ +95\.35 ± 0\.05 `, r.stdout)
	require.Contains(t, r.stdout, filepath.Join("out", "table1", "results.md"))
	require.Contains(t, r.stderr, "4 of 4 runs")
	for _, name := range []string{"results.md", "results.json", "results.csv", "table1.svg"} {
		require.FileExists(t, filepath.Join("out", "table1", name))
	}
	folder, err := run.Open(filepath.Join("out", "table1", "n3", "seed-2"))
	require.NoError(t, err)
	require.Contains(t, folder.Info().Command, "reproduce")

	refused(t, append([]string{"reproduce"}, table1...), "out/table1 exists", "--resume")
	v := object(t, experiment(t, append(table1, "--resume", "--json")...))
	require.Equal(t, "table1", v["experiment"])
	require.Equal(t, r.stdout, experiment(t, "report", "out").stdout)
	refused(t, []string{"reproduce", "report", "out", "--update", "absent.md"}, "absent.md")
}

func TestReproduceRefuses(t *testing.T) {
	inWorkFolder(t)
	refused(t, []string{"reproduce", "tabel1"}, "tabel1", "did you mean table1?")
	refused(t, []string{"reproduce", "frobnicate"}, "table1, table3, fig4, fig5, search, stereo, all")
	refused(t, []string{"reproduce", "table1", "--scale", "huge"}, "huge", "smoke, small, paper")
	refused(t, []string{"reproduce", "table1", "--dataset", "svhn"}, "svhn", "fashion-mnist, cifar10")
	refused(t, []string{"reproduce", "all", "--dataset", "svhn"}, "svhn", "fashion-mnist, cifar10, stereo")
	refused(t, []string{"reproduce", "stereo", "--dataset", "cifar10"}, "cifar10", "choose one of stereo")
	refused(t, []string{"reproduce", "table1", "--only", "n5"}, "n5", "n4, n3, n4s1")
	refused(t, []string{"reproduce", "table1", "--seeds", "1,x"}, "--seeds 1,x")
	refused(t, []string{"reproduce", "table1", "--set", "train.epoch=3"}, "train.epoch")
	refused(t, []string{"reproduce", "report"}, "--out")
	refused(t, []string{"reproduce", "report", "images"}, "images holds no experiment")
}

func TestSearchRandom(t *testing.T) {
	inWorkFolder(t)
	args := []string{"search", "--config", "tiny.toml", "--random", "5", "--seed", "3"}
	r := done(t, append(args, "--out", "drawn")...)
	hashes := map[string]bool{}
	for _, number := range []string{"01", "02", "03", "04", "05"} {
		path := filepath.Join("drawn", "genotypes", "random-"+number)
		require.FileExists(t, path+".svg")
		g, err := genotype.Load(path + ".json")
		require.NoError(t, err)
		require.Equal(t, 2, g.Normal().Nodes, "as configured")
		require.Contains(t, r.stdout, g.Hash())
		hashes[g.Hash()] = true
	}
	require.Len(t, hashes, 5)
	require.NoFileExists(t, filepath.Join("drawn", "metrics.jsonl"), "nothing was trained")
	v := object(t, done(t, append(args, "--out", "again", "--json")...))
	require.Len(t, v["genotypes"], 5)
	first, _ := v["genotypes"].([]any)[0].(map[string]any)
	require.Contains(t, r.stdout, first["hash"])

	trained(t, "run", "--genotype", "drawn/genotypes/random-03.json")
	refused(t, append(args, "--out", "drawn"), "drawn exists")
	refused(t, append(args, "--out", "x", "--resume"), "--random", "--resume")
	refused(t, []string{"search", "--config", "tiny.toml", "--random", "0"}, "--random 0")
}
