package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/gif"
	_ "image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
