//go:build fakedevice

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// tinyOnDevice are the flags of a run of tiny.toml on the device.
func tinyOnDevice(verb, dir string, more ...string) []string {
	return slices.Concat([]string{verb, "--config", "tiny.toml", "--device", "cuda", "--out", dir}, set("train.epochs=1", "search.epochs=2"), more)
}

// Every option that takes another way through a step.
func TestDeviceForms(t *testing.T) {
	inWorkFolder(t)
	for _, c := range []struct {
		name string
		args []string
	}{
		{"float32", tinyOnDevice("train", "float32", "--precision", "float32")},
		{"bfloat16", tinyOnDevice("train", "bfloat16", "--precision", "bfloat16")},
		{"auto", tinyOnDevice("train", "auto", "--device", "auto", "--precision", "auto")},
		{"data on the device", tinyOnDevice("train", "resident", set("data.resident=on")...)},
		{"data not on the device", tinyOnDevice("train", "streamed", set("data.resident=off")...)},
		{"graphs", tinyOnDevice("train", "graphs", set("run.graphs=auto")...)},
		{"graphs, data not on the device", tinyOnDevice("train", "graphs-streamed", set("run.graphs=auto", "data.resident=off")...)},
		{"normalisation of each step", tinyOnDevice("train", "per-step", set("network.bn=per-step")...)},
		{"auxiliary classifier", tinyOnDevice("train", "auxiliary", set("train.auxiliary_weight=0.4")...)},
		{"neurons in the head", tinyOnDevice("train", "head", set("network.head=lif")...)},
		{"ann", tinyOnDevice("train", "ann", set("network.activation=relu", "network.steps=1")...)},
		{"dgs", tinyOnDevice("train", "dgs", set("train.epochs=2", "dgs.layers=[\"stem0\"]", "dgs.every=1", "dgs.iterations=2")...)},
		{"dgs of all layers", tinyOnDevice("train", "dgs-auto", set("train.epochs=2", "dgs.layers=[\"auto\"]", "dgs.every=1", "dgs.iterations=2")...)},
		{"surrogate", tinyOnDevice("train", "arctan", set("network.surrogate=arctan")...)},
		{"float16", tinyOnDevice("train", "float16", "--precision", "float16")},
		{"float16, graphs", tinyOnDevice("train", "float16-graphs", append(set("run.graphs=auto"), "--precision", "float16")...)},
		{"recomputed", tinyOnDevice("train", "recomputed", set("run.recompute=true")...)},
		{"recomputed, graphs", tinyOnDevice("train", "recomputed-graphs", set("run.recompute=true", "run.graphs=auto")...)},
		{"deterministic", tinyOnDevice("train", "deterministic", set("run.deterministic=true", "run.tf32=off")...)},
		{"search", tinyOnDevice("search", "search")},
		{"search, float16", tinyOnDevice("search", "search-float16", "--precision", "float16")},
		{"search, recomputed", tinyOnDevice("search", "search-recomputed", set("run.recompute=true")...)},
		{"search, graphs", tinyOnDevice("search", "search-graphs", set("run.graphs=auto")...)},
		{"search, bfloat16", tinyOnDevice("search", "search-bfloat16", "--precision", "bfloat16")},
		{"search of layers", tinyOnDevice("search", "layers", set("search.layer_search=true", "network.downsample=nearest")...)},
		{"search of layers, graphs", tinyOnDevice("search", "layers-graphs", set("search.layer_search=true", "network.downsample=nearest", "run.graphs=auto")...)},
		{"search mixed at the membrane", tinyOnDevice("search", "membrane", set("search.mixing=membrane")...)},
	} {
		for _, kernels := range []string{"1", "0"} {
			name := c.name
			if kernels == "0" {
				name += ", composed"
			}
			t.Run(name, func(t *testing.T) {
				if kernels == "0" && strings.Contains(name, "data on the device") {
					t.Skip("the data set lies on the device only where the kernels are")
				}
				t.Setenv("SPIKEDHS_FAKE_KERNELS", kernels)
				args := slices.Clone(c.args)
				args[slices.Index(args, "--out")+1] += kernels
				r := onDevice(t, args...)
				if strings.Contains(name, "graphs") {
					assert.NotContains(t, r.stderr, "not recorded")
				}
			})
		}
	}
}

// What runs on the second device leaves the first one alone.
func TestDeviceSecond(t *testing.T) {
	inWorkFolder(t)
	first, second := torch.Memory{}, torch.Memory{}
	for name, m := range map[string]*torch.Memory{"cuda:0": &first, "cuda:1": &second} {
		d, err := torch.ParseDevice(name)
		require.NoError(t, err)
		require.NoError(t, torch.ResetPeakMemory(d))
		*m, err = torch.DeviceMemory(d)
		require.NoError(t, err)
	}
	for _, args := range [][]string{
		tinyOnDevice("train", "train", "--device", "cuda:1"),
		tinyOnDevice("search", "search", append(set("run.graphs=auto"), "--device", "cuda:1")...),
		{"eval", "--run", "train", "--device", "cuda:1"},
		{"export", "--run", "train", "--device", "cuda:1", "--check"},
	} {
		onDevice(t, args...)
	}
	text, err := os.ReadFile(filepath.Join("train", "run.json"))
	require.NoError(t, err)
	assert.Contains(t, string(text), `"device": "cuda:1"`)
	for name, before := range map[string]torch.Memory{"cuda:0": first, "cuda:1": second} {
		d, err := torch.ParseDevice(name)
		require.NoError(t, err)
		after, err := torch.DeviceMemory(d)
		require.NoError(t, err)
		assert.Equal(t, name == "cuda:1", after.Peak > before.Peak, "memory of %s", name)
	}
}

// A graph does what its steps one by one do, to the bit.
func TestDeviceGraphsChangeNothing(t *testing.T) {
	inWorkFolder(t)
	for _, verb := range []string{"train", "search"} {
		onDevice(t, tinyOnDevice(verb, verb+"-eager")...)
		torch.ResetFake()
		onDevice(t, tinyOnDevice(verb, verb+"-graphs", set("run.graphs=auto")...)...)
		counts, err := torch.ReadFake()
		require.NoError(t, err)
		assert.Positive(t, counts.Replays)
		assert.Equal(t, weights(t, verb+"-eager"), weights(t, verb+"-graphs"), verb)
	}
}

// weights are the tensors of a run's checkpoint, by name.
func weights(t *testing.T, dir string) map[string][]float32 {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "checkpoints", "last.safetensors"))
	require.NoError(t, err)
	defer f.Close()
	s := torch.NewInference()
	defer s.Close()
	tensors, _, err := torch.ReadSafetensors(s, f)
	require.NoError(t, err)
	values := map[string][]float32{}
	for name, value := range tensors {
		values[name], err = torch.ToSlice[float32](s.Cast(value, torch.Float32))
		require.NoError(t, err)
	}
	return values
}

// What a device lacks, or does not do, costs a warning and speed, not the run.
func TestDeviceLacks(t *testing.T) {
	inWorkFolder(t)
	for _, missing := range []string{"SPIKEDHS_FAKE_NO_STREAM", "SPIKEDHS_FAKE_NO_CAPTURE"} {
		t.Run(missing, func(t *testing.T) {
			t.Setenv(missing, "1")
			r := onDevice(t, tinyOnDevice("train", missing, set("run.graphs=auto")...)...)
			assert.Equal(t, 1, strings.Count(r.stderr, "level=WARN"), r.stderr)
			counts, err := torch.ReadFake()
			require.NoError(t, err)
			assert.Zero(t, counts.Replays)
		})
	}
}

// The precision is that of the GPU at hand.
func TestDevicePrecision(t *testing.T) {
	inWorkFolder(t)
	for capability, precision := range map[string]string{"9.0": "bfloat16", "7.5": "float16", "6.1": "float32"} {
		t.Setenv("SPIKEDHS_FAKE_CAPABILITY", capability)
		onDevice(t, tinyOnDevice("train", "run"+capability, "--precision", "auto", "--max-steps", "2")...)
		text, err := os.ReadFile(filepath.Join("run"+capability, "run.json"))
		require.NoError(t, err)
		assert.Contains(t, string(text), `"precision": "`+precision+`"`)
	}
}

// A device that runs out of memory, at whatever place, ends the run with one line.
func TestDeviceOutOfMemory(t *testing.T) {
	inWorkFolder(t)
	for _, nth := range []int{1, 40, 200, 1000, 3000} {
		torch.FailAllocation(nth)
		r := spikedhs(t, tinyOnDevice("train", "run"+strconv.Itoa(nth))...)
		torch.FailAllocation(0)
		assert.Equal(t, exitFailed, r.code, "%d: %s", nth, r.stderr)
		last := strings.TrimSpace(r.stderr[strings.LastIndex(strings.TrimSpace(r.stderr), "\n")+1:])
		assert.Contains(t, last, "out of memory", "%d", nth)
	}
}

// The verbs that do not train.
func TestDeviceVerbs(t *testing.T) {
	inWorkFolder(t)
	onDevice(t, tinyOnDevice("train", "run")...)
	done(t, "report", "run")
	onDevice(t, slices.Concat([]string{"demo", "--device", "cuda", "--out", "demo"}, set("data.path=images", "data.train_images=100",
		"data.test_images=50", "search.images=80", "search.batch=20", "train.batch=20", "train.epochs=1", "search.epochs=2"))...)
	t.Setenv(asProgram, "1") // experiments and benchmarks run in processes of their own
	onDevice(t, slices.Concat([]string{"reproduce", "table1", "--only", "n3", "--seeds", "1", "--scale", "smoke", "--out", "table", "--device", "cuda"},
		set("data.path=images", "data.train_images=100", "data.test_images=50", "network.levels=[1, 2]", "train.batch=20", "search.images=80", "search.batch=20"))...)
	small := []string{"--device", "cuda", "--threads", "1", "--repeats", "1", "--seconds", "0.02"}
	for _, args := range [][]string{
		{"bench", "train", "--batch", "2", "--width", "2", "--steps", "2", "--size", "8"},
		{"bench", "search", "--batch", "2", "--width", "2", "--steps", "2", "--size", "8", "--nodes", "1"},
		{"bench", "infer", "--batch", "2", "--width", "2", "--steps", "2", "--size", "8"},
		{"bench", "lif", "--batch", "1", "--width", "4", "--steps", "2", "--size", "8"},
		{"bench", "train", "--batch", "2", "--width", "2", "--steps", "2", "--size", "8", "--graphs"},
		{"bench", "stereo-train", "--size", "small"},
		{"bench", "stereo-stream", "--size", "small"},
	} {
		t.Run(args[1], func(t *testing.T) {
			r := onDevice(t, slices.Concat(args, small)...)
			assert.NotEmpty(t, r.stdout)
			assert.Equal(t, slices.Contains(args, "--graphs"), strings.Contains(r.stdout, "spikedhs-graphs"))
		})
	}
	onDevice(t, "bench", "profile", "--device", "cuda", "--batch", "2", "--width", "2", "--steps", "2", "--size", "8", "--repeats", "1", "--threads", "1")
}

// Search and training of stereo are recorded as those of images are: steps read nothing
// back while they are captured, and replays on data that lie on the device leave the weights
// of steps one by one on data that do not. (Sums of a search's gradients round as they come,
// recorded or not.)
func TestDeviceStereoGraphs(t *testing.T) {
	t.Chdir(t.TempDir())
	done(t, "data", "synth", "--scenes", "4", "--frames", "6", "--seed", "3", "--out", "scenes")
	common := append(set(small...), set("data.path=scenes", "stereo.split=scenes", "stereo.crop=[]", "stereo.max_disparity=21", "stereo.steps=2",
		"stereo.halves_block=1", "search.images=8", "search.batch=1", "train.batch=1", "stereo.validation_frames=0", "run.precision=float32")...)
	for _, verb := range []string{"train", "search"} {
		start := slices.Concat([]string{verb, "--config", "stereo-synthetic", "--device", "cuda"}, common)
		if verb == "train" {
			start = append(start, "--genotype", "spikedhs-stereo")
		}
		onDevice(t, append(slices.Clone(start), append(set("data.resident=off"), "--out", verb+"-eager")...)...)
		r := onDevice(t, append(slices.Clone(start), append(set("run.graphs=auto", "data.resident=on"), "--out", verb+"-graphs")...)...)
		assert.NotContains(t, r.stderr, "not recorded")
		counts, err := torch.ReadFake()
		require.NoError(t, err)
		assert.Positive(t, counts.Replays, verb)
		if verb == "train" {
			assert.Equal(t, weights(t, verb+"-eager"), weights(t, verb+"-graphs"))
		}
	}
}
