package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/pytorch"
	"github.com/spikedhs/spikedhs/train/bench"
)

// objects decodes JSON lines.
func objects(t *testing.T, r result) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(r.stdout) {
		var v map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &v), line)
		list = append(list, v)
	}
	return list
}

// benchmark runs a small one whose workers are this test binary.
func benchmark(t *testing.T, task string, args ...string) result {
	t.Helper()
	t.Setenv(asProgram, "1")
	return done(t, append([]string{"bench", task, "--threads", "1", "--repeats", "1", "--seconds", "0.02"}, args...)...)
}

func TestBenchTable(t *testing.T) {
	args := []string{"--batch", "1,2", "--width", "2", "--steps", "2", "--size", "8", "--precision", "float32"}
	list := objects(t, benchmark(t, "train", append(args, "--json")...))
	require.Len(t, list, 2)
	for i, v := range list {
		require.Equal(t, "train", v["bench"])
		require.Equal(t, "spikedhs", v["impl"])
		require.Equal(t, "float32", v["precision"])
		require.EqualValues(t, i+1, v["batch"])
		for _, key := range []string{"rate_per_s", "peak_rss_mb"} {
			require.Positive(t, number(t, v, key), key)
		}
		require.Zero(t, number(t, v, "spread"), "of one sample")
	}
	r := benchmark(t, "search", append(args, "--nodes", "1")...)
	require.Regexp(t, `(?m)^ +1 +2 +2 +8 +1  spikedhs +float32 +[0-9.]+ +0 % +[0-9]+$`, r.stdout)
	require.Len(t, strings.Split(strings.TrimSpace(r.stdout), "\n"), 4, "task, heading and two cases")
}

// Each family stands beside all kernels in every task, and one that is not there is said.
func TestBenchKernels(t *testing.T) {
	if !torch.CPUKernels("cell") {
		t.Skip("this build has no kernels of the family cell")
	}
	args := []string{"--batch", "1", "--steps", "2", "--size", "8", "--width", "2", "--task", "train,infer", "--precision", "float32", "--without", "cell,events"}
	list := objects(t, benchmark(t, "kernels", append(args, "--json")...))
	require.Len(t, list, 2*(3+2), "rows and ratios")
	for i, task := range []string{"train", "infer"} {
		for k, impl := range []string{"spikedhs", "without-cell", "without-events"} {
			row := list[5*i+k]
			require.Equal(t, task, row["bench"])
			require.Equal(t, impl, row["impl"])
			require.Positive(t, number(t, row, "rate_per_s"))
		}
		require.Equal(t, "without-cell", list[5*i+3]["over"])
		require.Equal(t, "without-events", list[5*i+4]["over"])
	}
}

func TestBenchAgainstPython(t *testing.T) {
	python := pytorch.Interpreter(t)
	args := []string{"--width", "2", "--steps", "2", "--size", "8", "--batch", "2", "--vs", "python", "--python", python}
	list := objects(t, benchmark(t, "infer", append(args, "--json")...))
	require.Len(t, list, 5)
	for i, impl := range []string{"spikedhs", "python-folded", "python-per-step"} {
		require.Equal(t, impl, list[i]["impl"])
		require.Positive(t, number(t, list[i], "firing_rate"))
	}
	for i, v := range list[3:] {
		require.Equal(t, list[i+1]["impl"], v["over"])
		require.InEpsilon(t, number(t, list[0], "rate_per_s")/number(t, list[i+1], "rate_per_s"), number(t, v, "ratio"), 1e-9)
		require.Positive(t, number(t, v, "memory_ratio"))
	}
	require.Regexp(t, `python-per-step +float32 .* [0-9.]+x +[0-9.]+x\n$`, benchmark(t, "infer", args...).stdout)
}

func TestBenchParts(t *testing.T) {
	list := objects(t, benchmark(t, "lif", "--batch", "1", "--width", "4", "--steps", "2", "--size", "8", "--json"))
	require.Len(t, list, 4, "two passes in two precisions")
	for _, v := range list {
		require.Positive(t, number(t, v, "share_of_copy"))
	}
	t.Setenv(asProgram, "1")
	list = objects(t, done(t, "bench", "loader", "--seconds", "0.02", "--batch", "2", "--width", "2", "--size", "8", "--repeats", "1", "--json"))
	require.Len(t, list, 2)
	require.InEpsilon(t, number(t, list[1], "rate_per_s")/number(t, list[0], "rate_per_s"), number(t, list[1], "times_training"), 1e-9)
}

// Without SpikingJelly our figures stand, and the command fails.
func TestBenchLIFBesideNothing(t *testing.T) {
	python := pytorch.Interpreter(t)
	if exec.Command(python, "-c", "import spikingjelly").Run() == nil {
		t.Skip(python + " has SpikingJelly")
	}
	r := spikedhs(t, "bench", "lif", "--batch", "1", "--width", "4", "--steps", "2", "--size", "8", "--repeats", "1", "--seconds", "0.01",
		"--precision", "float32", "--vs", "spikingjelly", "--python", python, "--json")
	require.Equal(t, exitFailed, r.code)
	require.Len(t, objects(t, r), 2)
	require.Contains(t, r.stderr, "No module named 'spikingjelly'")
	require.Contains(t, r.stderr, "1 of 1 cases")
}

func TestBenchProfile(t *testing.T) {
	args := []string{"bench", "profile", "--batch", "2", "--width", "2", "--steps", "2", "--size", "8", "--repeats", "1", "--threads", "1", "--top", "3"}
	list := objects(t, done(t, append(args, "--json")...))
	require.Len(t, list, 1)
	require.Equal(t, "train", list[0]["bench"])
	require.Len(t, list[0]["operators"], 3)
	require.Positive(t, number(t, list[0], "step_ms"))
	require.NotContains(t, list[0], "device_ms", "of the CPU")
	require.Regexp(t, `(?m)^ *[0-9.]+ % +[0-9.]+ +0.000 +[0-9.]+  [a-z]+::[a-z_]+$`, done(t, args...).stdout)
	list = objects(t, done(t, "bench", "profile", "--task", "stereo-stream", "--repeats", "1", "--json"))
	require.Equal(t, "stereo-stream", list[0]["bench"])
}

func TestBenchRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	refused(t, []string{"bench", "train", "--batch", "8,x"}, "--batch 8,x", "commas")
	refused(t, []string{"bench", "train", "--batch", "0"}, "--batch 0")
	refused(t, []string{"bench", "train", "--size", "30"}, "size 30")
	refused(t, []string{"bench", "train", "--vs", "java"}, "--vs java", "python")
	refused(t, []string{"bench", "train", "--vs", "python,java"}, "--vs python,java", "spikingjelly")
	refused(t, []string{"bench", "train", "--graphs"}, "need a CUDA device")
	refused(t, []string{"bench", "kernels", "--without", "wings"}, "--without wings", "winograd")
	refused(t, []string{"bench", "kernels", "--precision", "float8"}, "--precision float8", "float32")
	refused(t, []string{"bench", "lif", "--vs", "python"}, "--vs python", "spikingjelly")
	refused(t, []string{"bench", "profile", "--task", "walk"}, "--task walk")
	refused(t, []string{"bench", "profile", "--batch", "1,2"}, "--batch 1,2", "one number")
	refused(t, []string{"bench", "train", "--repeats", "0"}, "--repeats 0")
	refused(t, []string{"bench", "lif", "--batch", "1,2"}, "--batch 1,2", "one number")
	refused(t, []string{"bench", "speed"}, "speed", "train")
	refused(t, []string{"bench", "worker", "nonsense"}, "no JSON")
}

func TestBenchNeedsPython(t *testing.T) {
	r := spikedhs(t, "bench", "train", "--vs", "python", "--python", filepath.Join(t.TempDir(), "none"))
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, "no Python with PyTorch")
}

// The worker answers on its standard output in the words of the scripts.
func TestBenchWorker(t *testing.T) {
	text, err := json.Marshal(bench.Case{Task: bench.Infer, Setting: bench.Setting{
		Impl: bench.Ours, Precision: "float32", Batch: 1, Width: 2, Steps: 2, Nodes: 3, Size: 8, Threads: 1, Device: "cpu",
	}})
	require.NoError(t, err)
	c := program(t, "bench", "worker", string(text))
	c.Stdin, c.Stderr = strings.NewReader("2\n1\n"), os.Stderr
	out, err := c.Output()
	require.NoError(t, err)
	require.Equal(t, 4, bytes.Count(out, []byte("\n")), string(out))
	require.Regexp(t, `^\{"torch":"[0-9.]+.*"\}\n(\{"seconds":[0-9.e-]+\}\n){2}\{"peak_rss_mb":[0-9.]+,"firing_rate":[0-9.]+\}\n$`, string(out))
}
