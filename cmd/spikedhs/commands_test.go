package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"

	"github.com/spikedhs/spikedhs/configs"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

func TestDemo(t *testing.T) {
	inWorkFolder(t)
	args := []string{"demo", "--config", "tiny.toml", "--set", "train.epochs=1", "--set", "search.epochs=1", "--set", "search.warmup_epochs=0"}
	r := done(t, append(args, "--out", "run")...)
	for _, text := range []string{
		"1/4", "2/4", "3/4", "4/4", "Done in", "60 test images", "n1 = ",
		"spikedhs infer --model run/model.pt --dataset fashion-mnist",
	} {
		require.Contains(t, r.stdout, text)
	}
	for _, name := range []string{
		"config.toml", "run.json", "metrics.jsonl", "genotype.json", "genotype.svg", "model.pt", "report.html",
		"checkpoints/last.safetensors", "search/genotype.json", "search/metrics.jsonl",
	} {
		require.FileExists(t, filepath.Join("run", name))
	}
	done(t, "export", "--run", "run", "--check")
	require.Contains(t, done(t, "report", "run", "--out", "two.html").stdout, "two.html")

	for _, place := range []string{"again/search/metrics.jsonl", "again/metrics.jsonl"} {
		stopped(t, place, append(args, "--out", "again")...)
		args = []string{"demo", "--resume"}
	}
	v := object(t, done(t, "demo", "--out", "again", "--resume", "--json"))
	require.Contains(t, v, "evaluation")
	sameRun(t, "run", "again")
	sameRun(t, "run/search", "again/search")
}

// stopped interrupts a command line as soon as there is a file.
func stopped(t *testing.T, path string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for !exists(path) && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	var stderr bytes.Buffer
	require.Equal(t, exitInterrupted, execute(ctx, append([]string{"spikedhs"}, args...), io.Discard, &stderr), stderr.String())
	require.Contains(t, stderr.String(), "spikedhs: demo in again: interrupted; a checkpoint was saved, continue with --resume")
}

func TestDemoThatCannotBeginLeavesNothing(t *testing.T) {
	inWorkFolder(t)
	refused(t, []string{"demo", "--config", "tiny.toml", "--set", "data.test_images=50", "--set", "data.train_images=4000", "--out", "run", "--json"},
		"data.train_images", "4000")
}

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

func TestDataFetch(t *testing.T) {
	t.Chdir(t.TempDir())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/mirror/train-images") {
			_, _ = w.Write(make([]byte, 4000))
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	r := spikedhs(t, "data", "fetch", "mnist", "--dir", ".", "--base-url", server.URL+"/mirror")
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.stderr, "checksum mismatch")
	r = spikedhs(t, "data", "fetch", "mnist", "--dir", ".", "--base-url", server.URL)
	require.Equal(t, exitFailed, r.code)
	require.Contains(t, r.stderr, "404")
}

func TestFetchingShowsEachFile(t *testing.T) {
	var b bytes.Buffer
	f := fetching{progress: run.NewProgress(&b)}
	for _, done := range []int64{1000, 2500, 4000} {
		f.show("a.gz", done, 4000)
	}
	f.show("b.gz", 500, -1) // the server does not tell the size
	f.show("b.gz", 3000, -1)
	f.progress.End("")
	require.Regexp(t, `^a.gz: 4 kB in .*\nb.gz: 3 kB in .*\n$`, b.String())
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
