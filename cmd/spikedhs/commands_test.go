package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/configs"
	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/config"
)

func TestConfigPrint(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("my.toml", []byte("[run]\nseed = 2\nname = \"mine\"\n[train]\nlr = 0.2\n"), 0o644))
	r := done(t, "config", "print", "--config", "my.toml", "--set", "train.lr=0.3", "--set", "run.seed=3",
		"--set", "network.levels=[0, 1]", "--seed", "4", "--device", "cpu", "--precision", "float32")
	cfg, err := config.Parse("printed", []byte(r.stdout))
	require.NoError(t, err)
	require.Equal(t, "mine", cfg.Run.Name, "from the file")
	require.Equal(t, 0.3, cfg.Train.LR, "--set stands over the file")
	require.EqualValues(t, 4, cfg.Run.Seed, "the flag stands over --set")
	require.Equal(t, []int{0, 1}, cfg.Network.Levels)
	require.Equal(t, "cpu", cfg.Run.Device)
	require.Equal(t, "float32", cfg.Run.Precision)
}

func TestConfigListAndKeys(t *testing.T) {
	r := done(t, "config", "list")
	for _, name := range configs.Names() {
		require.Contains(t, r.stdout, name)
	}
	require.Contains(t, done(t, "config", "keys").stdout, "train.lr")
}

func TestGenotypeShow(t *testing.T) {
	t.Chdir(t.TempDir())
	require.Contains(t, done(t, "genotype", "show", "spikedhs-cla-n3").stdout, "n0 = b3(s1) + b3(s0)")
	require.Contains(t, done(t, "genotype", "show", "spikedhs-cla-n3", "--dot", "-").stdout, "digraph")
	require.Empty(t, done(t, "genotype", "show", "--svg", "it.svg", "spikedhs-cla-n3").stdout)
	drawing, err := os.ReadFile("it.svg")
	require.NoError(t, err)
	require.Contains(t, string(drawing), "<svg")
	var g genotype.Genotype
	require.NoError(t, json.Unmarshal([]byte(done(t, "genotype", "show", "spikedhs-cla-n3", "--json").stdout), &g))
}

func TestDataInfo(t *testing.T) {
	inWorkFolder(t)
	v := object(t, done(t, "data", "info", "fashion-mnist", "--dir", "images", "--json"))
	require.EqualValues(t, 160, v["train"])
	require.EqualValues(t, 60, v["test"])
	require.Equal(t, []any{1.0, 28.0, 28.0}, v["shape"])
	require.Contains(t, done(t, "data", "info", "fashion-mnist", "--dir", "images").stdout, "160 training and 60 test images")

	t.Setenv("SPIKEDHS_DATA", t.TempDir())
	r := done(t, "data", "info")
	require.Regexp(t, `(?m)^cifar10 +not found: .*spikedhs data fetch cifar10`, r.stdout)
	require.Len(t, object(t, done(t, "data", "info", "--json"))["sets"], len(data.Names()))
}

func TestDataInfoOfRealArchive(t *testing.T) {
	dir := realData(t, "cifar-10-binary.tar.gz")
	v := object(t, done(t, "data", "info", "cifar10", "--dir", dir, "--json"))
	require.EqualValues(t, 50000, v["train"])
	require.EqualValues(t, 10000, v["test"])
	require.Equal(t, []any{3.0, 32.0, 32.0}, v["shape"])
}

func TestDoctor(t *testing.T) {
	r := done(t, "doctor")
	for _, name := range []string{"libtorch", "libspikedhs.so", "libcgotorch.so", "threads", "BLAS", "bfloat16", "matrix products", "CUDA", "memory"} {
		require.Regexp(t, `(?m)^(ok|warn)   *`+name+" ", r.stdout)
	}
	var v struct {
		OK     bool
		Checks []struct{ Name, Status, Value, Advice string }
	}
	require.NoError(t, json.Unmarshal([]byte(done(t, "doctor", "--json").stdout), &v))
	require.True(t, v.OK)
	for _, check := range v.Checks {
		require.NotEmpty(t, check.Value, check.Name)
		require.Equal(t, check.Status != "ok", check.Advice != "", "%s: a warning says what to do", check.Name)
	}
}

func TestVersion(t *testing.T) {
	require.Regexp(t, `^spikedhs \S+\nlibtorch \d+\.\d+\S*\ngo\S+ \S+\n$`, done(t, "version").stdout)
	require.Contains(t, done(t, "--version").stdout, version)
	require.Contains(t, object(t, done(t, "version", "--json")), "libtorch")
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{nil, {"help"}, {"--help"}, {"-h"}} {
		require.Contains(t, done(t, args...).stdout, "COMMANDS")
	}
	require.Contains(t, done(t, "data").stdout, "fetch")
	for _, command := range newApp(nil, nil, nil).Commands {
		require.Contains(t, done(t, command.Name, "--help").stdout, "spikedhs "+command.Name)
	}
}

func TestLogFormatJSON(t *testing.T) {
	inWorkFolder(t)
	r := done(t, "train", "--config", "tiny.toml", "--out", "run", "--log-format", "json", "-v")
	require.NotEmpty(t, r.stderr)
	for line := range strings.Lines(r.stderr) {
		require.True(t, json.Valid([]byte(line)), line)
	}
	require.Contains(t, r.stderr, "train 2/2: 20 batches")
}
