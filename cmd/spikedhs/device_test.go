//go:build fakedevice

package main

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/torch"
)

// The device tests run every command as on a CUDA machine, on the fake device of
// cpp/fake: make test-device. They show that a command starts, runs and ends there,
// that no operator gets tensors of two devices, and what a step costs. They cannot
// show that a GPU computes right.

// onDevice runs a command line that must succeed, and looks at its steps: none copies
// from the host or reads back in a way that is waited for, and no operator over many
// tensors goes one by one.
func onDevice(t *testing.T, args ...string) result {
	t.Helper()
	torch.ResetFake()
	r := done(t, args...)
	note(t, args)
	counts, err := torch.ReadFake()
	require.NoError(t, err)
	for name, step := range counts.Ranges {
		assert.Zero(t, step.BlockingReads, "reads from the device in a %s of %v", name, args)
		assert.Zero(t, step.Last.BlockingUploads, "copies to the device that are waited for, in a %s of %v", name, args)
		assert.Empty(t, step.Last.SlowForeach, "in a %s of %v", name, args)
	}
	return r
}

// note adds a command to the list that make test-device prints.
func note(t *testing.T, args []string) {
	t.Helper()
	file := os.Getenv("SPIKEDHS_COMMANDS")
	if file == "" {
		return
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	_, err = fmt.Fprintln(f, "spikedhs", strings.Join(args, " "))
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// writeCIFAR writes the published number of records of noise into the folder cifar, in
// the form of CIFAR-10 and CIFAR-100.
func writeCIFAR(t *testing.T) {
	t.Helper()
	rng := rand.New(rand.NewSource(3))
	write := func(path string, records, labels int, classes [2]int) {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		record := make([]byte, labels+3*32*32)
		rng.Read(record)
		all := bytes.Repeat(record, records)
		for i := range records {
			at := all[i*len(record):]
			for k := range labels {
				at[k] = byte(i % classes[k])
			}
			at[labels+i%3072] ^= 0xff // no two alike
		}
		require.NoError(t, os.WriteFile(path, all, 0o644))
	}
	for i := range 5 {
		write(fmt.Sprintf("cifar/cifar-10-batches-bin/data_batch_%d.bin", i+1), 10000, 1, [2]int{10})
	}
	write("cifar/cifar-10-batches-bin/test_batch.bin", 10000, 1, [2]int{10})
	write("cifar/cifar-100-binary/train.bin", 50000, 2, [2]int{20, 100})
	write("cifar/cifar-100-binary/test.bin", 10000, 2, [2]int{20, 100})
}

// set makes flags --set of settings.
func set(settings ...string) []string {
	var args []string
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	return args
}

// small are the settings under which a preset takes seconds.
var small = []string{
	"data.train_images=8", "data.test_images=4", "train.batch=4", "train.epochs=1", "train.width=2", "train.eval_every=1",
	"search.images=8", "search.batch=2", "search.epochs=2", "search.warmup_epochs=1", "search.width=2", "run.threads=1",
}

// presetOnDevice is a preset and the data that it runs on here.
type presetOnDevice struct {
	name     string
	search   bool
	settings []string
}

func presetsOnDevice() []presetOnDevice {
	cifar := []string{"data.path=cifar"}
	stereo := []string{"data.path=scenes", "stereo.split=scenes", "stereo.crop=[]", "stereo.max_disparity=21", "stereo.steps=2", "stereo.halves_block=1",
		"search.images=4", "search.batch=1", "train.batch=2", "stereo.validation_frames=0"}
	folder := []string{"data.name=image-folder", "data.path=photos", "data.size=32", "data.max_corrupt=0.1"}
	recordings := []string{"data.name=event-folder", "data.path=rec", "data.sensor=[34, 34]", "data.size=32", "network.steps=2"}
	return []presetOnDevice{
		{"cifar10-n3", false, cifar},
		{"cifar10-n4", false, cifar},
		{"cifar10-paper", true, cifar},
		{"cifar10-reference", true, cifar}, // normalisation of each step by itself
		{"cifar100-n3", false, cifar},
		{"cifar100-n4", false, cifar},
		{"cifar100-paper", true, cifar},
		{"fashion-mnist", true, []string{"data.path=images"}},
		{"fashion-mnist-demo", true, []string{"data.path=images"}},
		{"imagenet-paper", false, folder},
		{"n-mnist", true, recordings},
		{"cifar10-dvs", true, recordings},
		{"mvsec-paper", true, stereo},
		{"stereo-synthetic", true, stereo},
		{"stereo-synthetic-full", true, stereo},
	}
}

// deviceData writes the data of all presets into the working folder.
func deviceData(t *testing.T) {
	t.Helper()
	inWorkFolder(t)
	writeCIFAR(t)
	imageFolder(t)
	done(t, "data", "saccade", "--dataset", "fashion-mnist", "--dir", "images", "--out", "rec", "--train", "20", "--test", "10", "--threshold", "0.8")
	done(t, "data", "synth", "--scenes", "3", "--frames", "6", "--seed", "3", "--out", "scenes")
}

// Every preset is searched, trained and evaluated, in bfloat16 as on the GPUs of today.
func TestDevicePresets(t *testing.T) {
	deviceData(t)
	for _, p := range presetsOnDevice() {
		t.Run(p.name, func(t *testing.T) {
			run := []string{"--config", p.name, "--device", "cuda"}
			run = append(run, set(small...)...)
			run = append(run, set(p.settings...)...)
			genotype := []string{}
			if p.search {
				onDevice(t, slices.Concat([]string{"search", "--out", "s-" + p.name}, run)...)
				genotype = []string{"--genotype", filepath.Join("s-"+p.name, "genotype.json")}
			}
			onDevice(t, slices.Concat([]string{"train", "--out", "t-" + p.name}, genotype, run)...)
			onDevice(t, "eval", "--run", "t-"+p.name, "--device", "cuda:1")
		})
	}
}

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
