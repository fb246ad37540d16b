package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/stream"
)

// A model is exported, events go in by a file, and disparities come out in all
// forms; the classification commands send its file to this one.
func TestStream(t *testing.T) {
	inWorkFolder(t)
	g, err := genotype.StereoPreset(genotype.PresetStereo)
	require.NoError(t, err)
	n, err := stereo.NewNetwork(torch.CPU(), g, stereo.Options{Width: 2, MaxDisparity: 21, Steps: 2})
	require.NoError(t, err)
	m, err := stream.New(n, stream.About{Version: "test"})
	require.NoError(t, err)
	require.NoError(t, n.Close())
	require.NoError(t, m.Export("model.pt"))
	require.NoError(t, m.Close())

	var events bytes.Buffer
	w, err := stream.NewPacketWriter(&events, 54, 42)
	require.NoError(t, err)
	for i := range 300 { // 0.15 s: three steps
		require.NoError(t, w.Write(data.View(i%2), data.Event{T: float64(i) * 0.0005, X: int16(i % 54), Y: int16(i % 42), P: 1}))
	}
	require.NoError(t, os.WriteFile("events.bin", events.Bytes(), 0o644))

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
	refused(t, []string{"stream", "--model", "model.pt", "--events", "events.bin", "--size", "big"}, "260x346")
	refused(t, []string{"infer", "--model", "model.pt", "events.bin"}, "spikedhs stream")
}
