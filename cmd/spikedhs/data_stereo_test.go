package main

import (
	"encoding/json"
	"image/gif"
	"image/png"
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

	moving := filepath.Join(dir, "p.gif")
	r = spikedhs(t, "data", "preview-stereo", "--zoom", "1", "--out", moving, scenes)
	require.Zero(t, r.code, r.stderr)
	f, err := os.Open(moving)
	require.NoError(t, err)
	defer f.Close()
	pictures, err := gif.DecodeAll(f)
	require.NoError(t, err)
	assert.Len(t, pictures.Image, 2)
	assert.Equal(t, 3*132+4, pictures.Config.Width)

	recording := filepath.Join(dir, "r.dat")
	require.NoError(t, os.WriteFile(recording, []byte("100 3 4 1 1\n200 5 6 0 0\n"), 0o600))
	still := filepath.Join(dir, "p.png")
	r = spikedhs(t, "data", "preview-stereo", "--zoom", "1", "--out", still, recording)
	require.Zero(t, r.code, r.stderr)
	p, err := os.Open(still)
	require.NoError(t, err)
	defer p.Close()
	picture, err := png.Decode(p)
	require.NoError(t, err)
	assert.Equal(t, 2*128+2, picture.Bounds().Dx())
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
