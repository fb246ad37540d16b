//go:build fakedevice

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/torch"
)

// A run goes on where it was stopped on the device, to the bit, and on the CPU and
// back.
func TestDeviceResume(t *testing.T) {
	inWorkFolder(t)
	for _, verb := range []string{"train", "search"} {
		whole := tinyOnDevice(verb, verb+"-whole", "--precision", "float32")
		onDevice(t, whole...)
		parts := tinyOnDevice(verb, verb+"-parts", "--precision", "float32")
		onDevice(t, append(parts, "--max-steps", "7")...)
		onDevice(t, verb, "--out", verb+"-parts", "--resume")
		assert.Equal(t, weights(t, verb+"-whole"), weights(t, verb+"-parts"), verb)
	}
	// A run keeps its device, so the folder is told of another one.
	onDevice(t, tinyOnDevice("train", "moved", "--precision", "float32", "--max-steps", "5")...)
	editFile(t, filepath.Join("moved", "config.toml"), `device = "cuda"`, `device = "cpu"`)
	done(t, "train", "--out", "moved", "--resume", "--max-steps", "11")
	editFile(t, filepath.Join("moved", "config.toml"), `device = "cpu"`, `device = "cuda:1"`)
	onDevice(t, "train", "--out", "moved", "--resume")
	whole, moved := weights(t, "train-whole"), weights(t, "moved")
	require.Len(t, moved, len(whole))
	for name, values := range whole {
		if name != "generator.state" && len(values) > 0 {
			require.Len(t, moved[name], len(values), name)
		}
	}
}

// editFile replaces a text that a file must have.
func editFile(t *testing.T, path, from, to string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), from)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)), 0o644))
}

// A model that a device exports holds CPU tensors: it loads where there is no device,
// and gives there what it gives here.
func TestDeviceExport(t *testing.T) {
	inWorkFolder(t)
	onDevice(t, tinyOnDevice("train", "run")...)
	for _, device := range []string{"cpu", "cuda", "cuda:1"} {
		r := onDevice(t, "eval", "--run", "run", "--device", device)
		assert.Contains(t, r.stdout, "top-1")
	}
	onDevice(t, "export", "--run", "run", "--device", "cuda", "--check", "--check-images", "20")
	model := filepath.Join("run", "model.pt")
	loaded, err := torch.OpenScript(model, torch.CPU())
	require.NoError(t, err)
	require.NoError(t, loaded.Close())
	infer := []string{"--model", model, "--dataset", "fashion-mnist", "--dir", "images", "--index", "3"}
	here := guesses(t, append(infer, "--device", "cpu")...)
	assert.InDeltaSlice(t, here, guesses(t, append(infer, "--device", "cuda")...), 1e-4)
	note(t, append([]string{"infer"}, append(infer, "--device", "cuda")...))
}

// A stereo network from the search to a stream of disparities.
func TestDeviceStereo(t *testing.T) {
	inWorkFolder(t)
	done(t, "data", "synth", "--scenes", "3", "--frames", "6", "--seed", "3", "--out", "scenes")
	run := append([]string{"--config", "stereo-synthetic", "--device", "cuda"}, set(small...)...)
	run = append(run, set("data.path=scenes", "stereo.steps=2", "stereo.halves_block=1", "search.images=4", "search.batch=1", "train.batch=2",
		"stereo.validation_frames=0")...)
	for _, kernels := range []string{"1", "0"} {
		t.Setenv("SPIKEDHS_FAKE_KERNELS", kernels)
		onDevice(t, append([]string{"train", "--out", "run" + kernels, "--genotype", "spikedhs-stereo"}, run...)...)
		onDevice(t, append([]string{"train", "--out", "bf" + kernels, "--genotype", "spikedhs-stereo", "--precision", "bfloat16"}, run...)...)
		onDevice(t, append([]string{"train", "--out", "dgs" + kernels, "--genotype", "spikedhs-stereo"},
			append(run, set("dgs.layers=[\"feature.stem0\"]", "dgs.first=1", "dgs.every=1", "dgs.iterations=2", "train.epochs=2")...)...)...)
	}
	t.Setenv("SPIKEDHS_FAKE_KERNELS", "1")
	onDevice(t, "eval", "--run", "run1", "--device", "cuda:1")
	onDevice(t, "export", "--run", "run1", "--device", "cuda", "--check")
	model := filepath.Join("run1", "model.pt")
	stereoModelAndEvents(t)
	for _, precision := range []string{"float32", "bfloat16", "float16"} {
		onDevice(t, "stream", "--model", "model.pt", "--events", "events.bin", "--device", "cuda", "--precision", precision)
	}
	onDevice(t, "stream", "--run", "run1", "--events", "scenes", "--split", "test", "--device", "cuda")
	here := done(t, "stream", "--model", "model.pt", "--events", "events.bin", "--format", "raw", "--device", "cpu").stdout
	there := onDevice(t, "stream", "--model", "model.pt", "--events", "events.bin", "--format", "raw", "--device", "cuda").stdout
	assert.Len(t, there, len(here))
	frames, err := filepath.Glob(filepath.Join("scenes", "*", data.TimestampsFile))
	require.NoError(t, err)
	require.NotEmpty(t, frames)
	onDevice(t, "infer", "--model", model, filepath.Dir(frames[0]), "--device", "cuda", "--out", "maps")
}
