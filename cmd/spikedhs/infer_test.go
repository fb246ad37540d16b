package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/gif"
	_ "image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data/npy"
	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/stereo/stream"
)

// stereoModelAndEvents writes model.pt with T = 2 and events.bin of three steps of 54 x
// 42 pixels.
func stereoModelAndEvents(t *testing.T) {
	t.Helper()
	g, err := genotype.Preset(genotype.PresetStereo)
	require.NoError(t, err)
	n, err := stereo.NewNetwork(torch.CPU(), g, stereo.Options{Width: 2, MaxDisparity: 21, Steps: 2})
	require.NoError(t, err)
	m, err := stream.New(n, stream.About{Version: "test"})
	require.NoError(t, err)
	require.NoError(t, n.Close())
	require.NoError(t, m.Export("model.pt"))
	require.NoError(t, m.Close())

	events := bytes.NewBufferString("SDHSEV01\x36\x00\x2a\x00\x00\x00\x00\x00")
	for i := range 300 { // 0.15 s: three steps
		require.NoError(t, binary.Write(events, binary.LittleEndian, struct {
			Microseconds int64
			X, Y         uint16
			P, View      int8
			_            uint16
		}{int64(i) * 500, uint16(i % 54), uint16(i % 42), 1, int8(i % 2), 0}))
	}
	require.NoError(t, os.WriteFile("events.bin", events.Bytes(), 0o644))
}

// Disparities of a window go to files in all forms and, raw, to standard output; where
// the window is the whole past they are those of the stream.
func TestInferStereo(t *testing.T) {
	inWorkFolder(t)
	stereoModelAndEvents(t)
	r := done(t, "infer", "--model", "model.pt", "events.bin", "--out", "maps")
	assert.Contains(t, r.stdout, "events.bin frame 2: disparity")
	assert.Contains(t, r.stdout, filepath.Join("maps", "events.png"))
	assert.FileExists(t, filepath.Join("maps", "events.png"))

	told := object(t, done(t, "infer", "--model", "model.pt", "events.bin", "--frame", "1", "--out", "one.npy", "--json"))
	assert.Equal(t, 2.0, number(t, told, "steps"))
	window := told["windows"].([]any)[0].(map[string]any)
	assert.Equal(t, 1.0, number(t, window, "frame"))
	assert.Equal(t, "one.npy", window["file"])
	// 200 events at 100 of the left view, each at a pixel of its own.
	assert.InDelta(t, 100*100/(54.0*42), number(t, window, "pixels_with_events"), 1e-9)
	array, err := npy.ReadFile("one.npy")
	require.NoError(t, err)
	assert.Equal(t, []int{42, 54}, array.Shape)
	values := npy.Values[float32](array)
	low, high := values[0], values[0]
	for _, x := range values {
		low, high = min(low, x), max(high, x)
	}
	assert.InDelta(t, low, number(t, window, "min_disparity_px"), 1e-6)
	assert.InDelta(t, high, number(t, window, "max_disparity_px"), 1e-6)

	raw := done(t, "infer", "--model", "model.pt", "events.bin", "--frame", "1", "--format", "raw")
	require.Len(t, raw.stdout, 4*54*42, "nothing but the map")
	assert.Contains(t, raw.stderr, "frame 1")
	all := done(t, "stream", "--model", "model.pt", "--events", "events.bin", "--format", "raw")
	for i, x := range values {
		require.Equal(t, x, math.Float32frombits(binary.LittleEndian.Uint32([]byte(raw.stdout[4*i:4*i+4]))))
		streamed := math.Float32frombits(binary.LittleEndian.Uint32([]byte(all.stdout[4*(54*42+i):])))
		require.InDelta(t, streamed, x, 1e-4)
	}

	done(t, "data", "synth", "--scenes", "2", "--frames", "3", "--seed", "3", "--out", "scenes")
	folders, err := filepath.Glob(filepath.Join("scenes", "*", data.TimestampsFile))
	require.NoError(t, err)
	require.Len(t, folders, 2)
	first, second := filepath.Dir(folders[0]), filepath.Dir(folders[1])
	told = object(t, done(t, "infer", "--model", "model.pt", first, second, "--frame", "1", "--out", "maps", "--json"))
	assert.Len(t, told["windows"], 2)
	assert.FileExists(t, filepath.Join("maps", filepath.Base(second)+".png"))

	infer := []string{"infer", "--model", "model.pt"}
	with := func(args ...string) []string { return append(append([]string{}, infer...), args...) }
	refused(t, infer, "name recordings")
	refused(t, with("scenes"), "2 sequences", "scenes")
	refused(t, with(first, "--frame", "3"), "no frame 3")
	refused(t, with(first, "--frame", "0"), ": 1, and the model takes 2")
	refused(t, with(first, "--sensor", "10x10"), "--sensor", "132x96")
	refused(t, with("events.bin", "--sensor", "big"), "346x260")
	refused(t, with("events.bin", "--frame", "9"), "no frame 9")
	refused(t, with("images"), "no sequence")
	refused(t, with("nowhere.npz"), "nowhere.npz")
	refused(t, with("model.pt"), "no stream of events")
	refused(t, with("events.bin", "--invert"), "--invert", "names classes")
	refused(t, with("--dataset", "fashion-mnist", "--index", "3"), "--dataset")
	refused(t, with("events.bin", "--run", "images"), "one of --model and --run")
	refused(t, with("events.bin", "--checkpoint", "x"), "--checkpoint goes with --run")
	refused(t, with("events.bin", first, "--out", "one.png"), "one file for 2 inputs")
	refused(t, with("events.bin", "--out", "one.png", "--format", "npy"), ".npy")
	refused(t, with("events.bin", "events.bin", "--out", "maps"), "two inputs")
	refused(t, with("events.bin", "--format", "raw", "--json"), "standard output")
	refused(t, []string{"infer", "--model", "nowhere.pt", "events.bin"}, "nowhere.pt")
	require.NoError(t, os.WriteFile("short.dat", []byte("100 3 4 1 1\n200 5 6 0 0\n"), 0o644))
	refused(t, with("short.dat"), "up to frame 0: 1, and the model takes 2")
}

// A run of classification has no disparities, and its model no windows.
func TestInferStereoOfAnotherModel(t *testing.T) {
	inWorkFolder(t)
	trained(t, "run")
	done(t, "export", "--run", "run")
	refused(t, []string{"infer", "--run", "run", "events.bin"}, "run of image classification")
	refused(t, []string{"infer", "--model", filepath.Join("run", "model.pt"), "--frame", "3", "x.png"}, "--frame is for a stereo model")
}

func TestDataSynthAndPreview(t *testing.T) {
	dir := t.TempDir()
	scenes := filepath.Join(dir, "scenes")
	r := spikedhs(t, "data", "synth", "--scenes", "2", "--frames", "2", "--seed", "3", "--out", scenes, "--json")
	require.Zero(t, r.code, r.stderr)
	var got struct {
		Scenes, Frames int
		Rate           float64 `json:"scenes_per_s"`
	}
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &got))
	assert.Equal(t, 2, got.Scenes)
	assert.Positive(t, got.Rate)

	recording := filepath.Join(dir, "r.dat")
	require.NoError(t, os.WriteFile(recording, []byte("100 3 4 1 1\n200 5 6 0 0\n"), 0o600))
	for _, c := range []struct {
		from, name   string
		more         []string
		frames, wide int
	}{
		{from: scenes, name: "p.gif", frames: 2, wide: 3*132 + 4},
		{from: recording, name: "p.png", wide: 2*128 + 2},
		{from: recording, name: "small.png", more: []string{"--sensor", "20x10"}, wide: 2*20 + 2},
		{from: scenes, name: "second.gif", more: []string{"--first", "1", "--sequence", "scene_0000"}, frames: 1, wide: 3*132 + 4},
	} {
		path := filepath.Join(dir, c.name)
		r = spikedhs(t, append([]string{"data", "preview-stereo", "--zoom", "1", "--out", path, c.from}, c.more...)...)
		require.Zero(t, r.code, r.stderr)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		picture, _, err := image.Decode(bytes.NewReader(content))
		require.NoError(t, err)
		assert.Equal(t, c.wide, picture.Bounds().Dx(), c.name)
		if c.frames > 0 {
			moving, err := gif.DecodeAll(bytes.NewReader(content))
			require.NoError(t, err)
			assert.Len(t, moving.Image, c.frames)
		}
	}
}

func TestDataStereoFaults(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"--out is missing":             {"data", "synth"},
		"--preset huge: choose one of": {"data", "synth", "--preset", "huge", "--out", dir},
		"--gt is missing":              {"data", "convert-mvsec", "--events", "x"},
		"no such file":                 {"data", "convert-mvsec", "--events", filepath.Join(dir, "x"), "--gt", "y", "--calib", "z", "--out", dir},
		"no sequence":                  {"data", "preview-stereo", dir},
		"ends in .png or .gif":         {"data", "preview-stereo", "--out", "x.jpg", dir},
		"name one folder":              {"data", "preview-stereo"},
	} {
		r := spikedhs(t, args...)
		assert.Equal(t, exitUsage, r.code, args)
		assert.Contains(t, r.stderr, want)
	}
}

// A model is exported, events go in by a file, and disparities come out in all
// forms.
func TestStream(t *testing.T) {
	inWorkFolder(t)
	stereoModelAndEvents(t)
	r := done(t, "stream", "--model", "model.pt", "--events", "events.bin", "--out", "pictures")
	assert.Contains(t, r.stdout, "3 steps of 54 x 42")
	for _, name := range []string{"000000.png", "000002.png", "stream.json"} {
		assert.FileExists(t, filepath.Join("pictures", name))
	}
	raw := done(t, "stream", "--model", "model.pt", "--events", "events.bin", "--format", "raw")
	assert.Len(t, raw.stdout, 3*4*54*42, "nothing but the maps")
	assert.Contains(t, raw.stderr, "3 steps")
	told := object(t, done(t, "stream", "--model", "model.pt", "--events", "events.bin", "--every", "25", "--max-steps", "2", "--json"))
	assert.Equal(t, 2.0, number(t, told, "steps"))

	refused(t, []string{"stream", "--model", "model.pt"}, "--events is missing")
	refused(t, []string{"stream", "--events", "events.bin"}, "--model", "--run")
	refused(t, []string{"stream", "--model", "nowhere.pt", "--events", "events.bin"}, "nowhere.pt")
	refused(t, []string{"stream", "--model", "model.pt", "--events", "model.pt"}, "no stream of events")
	refused(t, []string{"stream", "--model", "model.pt", "--events", "events.bin", "--sensor", "big"}, "346x260")
}
