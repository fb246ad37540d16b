package stream

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	images "github.com/spikedhs/spikedhs/data"
	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
)

func frame(i int) *int { return &i }

// A window of a folder has the disparities that evaluation has for its frame: the
// network as it is trained, on the windows of the loader.
func TestWindowEqualsEvaluation(t *testing.T) {
	root := folderOf(t, 5, "one", "two")
	n := newNetwork(t, 3)
	m, err := New(n, About{Version: "test", Rig: rig})
	require.NoError(t, err)
	defer m.Close()
	set, err := data.Open(root, data.Options{Cache: "none"})
	require.NoError(t, err)
	frames := []data.Frame{{Sequence: "two", Index: 2}, {Sequence: "two", Index: 4}}
	loader, err := data.NewLoader(set, frames, data.WindowOptions{Steps: 3}, images.LoaderOptions{Batch: 1})
	require.NoError(t, err)
	batches := loader.Epoch(context.Background(), 0, 0)
	defer batches.Close()
	for i, f := range frames {
		b, err := batches.Next()
		require.NoError(t, err)
		require.EqualValues(t, i, b.Indices[0])
		s := torch.NewInference()
		shape := []int64{3, int64(b.C), int64(b.H), int64(b.W)}
		cost := n.Forward(search.Pass{Scope: s, Mode: torch.Evaluate}, torch.FromSlice(s, b.Inputs[0], shape...), torch.FromSlice(s, b.Inputs[1], shape...))
		want, err := torch.ToSlice[float32](stereo.Estimate(s, s.Narrow(cost, 0, 2, 1)))
		require.NoError(t, err)
		require.NoError(t, s.Close())
		b.Release()

		source, err := Open(context.Background(), filepath.Join(root, "two"), SourceOptions{Binning: m.Info.Binning()})
		require.NoError(t, err)
		d, err := Window(context.Background(), m, source, WindowOptions{Frame: frame(f.Index)})
		require.NoError(t, err)
		require.NoError(t, source.Close())
		assert.Equal(t, f, d.Step.Frame)
		assert.InDeltaSlice(t, floats64(want), floats64(d.Values), 1e-4)
		assert.InDelta(t, rig.FB(), d.fb, 1e-9)
		assert.Positive(t, d.Took)
	}
}

// The last T steps of a recording, or those up to a step, are the stream's.
func TestWindowOfRecording(t *testing.T) {
	m := newModel(t, 3)
	r := recording(8, 0.3, 4000)
	open := func() Source {
		s, err := Open(context.Background(), "-", SourceOptions{In: bytes.NewReader(packets(t, r)), Binning: m.Info.Binning()})
		require.NoError(t, err)
		return s
	}
	steps := all(t, open())
	require.Len(t, steps, 6)
	for _, end := range []int{2, 4, 5} {
		want, err := m.disparity(steps[end-2:end+1], nil, search.Float32)
		require.NoError(t, err)
		o := WindowOptions{Frame: frame(end)}
		if end == 5 {
			o.Frame = nil
		}
		d, err := Window(context.Background(), m, open(), o)
		require.NoError(t, err)
		assert.Equal(t, want, d.Values)
		assert.Equal(t, end, d.Step.Frame.Index)
		seen := map[int]bool{}
		for _, step := range steps[end-2 : end+1] {
			for i, x := range step.Left {
				if x != 0 {
					seen[i%(width*height)] = true
				}
			}
		}
		assert.InDelta(t, 100*float64(len(seen))/(width*height), d.Summary().Coverage, 1e-9)
	}
}

func TestSummary(t *testing.T) {
	d := Disparities{Values: []float32{10, 1, 3, 2}, Took: 1500 * time.Microsecond, withEvents: 0.25, fb: 20}
	depth := 8.0
	assert.Equal(t, Summary{Min: 1, Median: 2.5, Max: 10, Depth: &depth, Coverage: 25, Milliseconds: 1.5}, d.Summary())
	d.Values = []float32{0.1, 9, 0}
	assert.Nil(t, d.Summary().Depth, "of a disparity near 0 depth means nothing")
	assert.InDelta(t, 0.1, d.Summary().Median, 1e-6)
}

func TestWindowRefused(t *testing.T) {
	m := newModel(t, 3)
	root := folderOf(t, 4, "one", "two")
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.MkdirAll(empty, 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(empty, data.TimestampsFile), nil, 0o644))
	one := filepath.Join(root, "one")
	for name, c := range map[string]struct {
		path  string
		o     WindowOptions
		texts string
	}{
		"two sequences": {root, WindowOptions{}, "2 sequences"},
		"no such frame": {one, WindowOptions{Frame: frame(4)}, "no frame 4"},
		"negative":      {one, WindowOptions{Frame: frame(-1)}, "from 0"},
		"too early":     {one, WindowOptions{Frame: frame(1)}, "up to frame 1 of sequence one: 2"},
	} {
		s, err := Open(context.Background(), c.path, SourceOptions{Binning: m.Info.Binning()})
		require.NoError(t, err, name)
		_, err = Window(context.Background(), m, s, c.o)
		require.ErrorIs(t, err, ErrWindow, name)
		assert.ErrorContains(t, err, c.texts, name)
	}
	s, err := Open(context.Background(), empty, SourceOptions{})
	if err == nil {
		_, err = Window(context.Background(), m, s, WindowOptions{})
	}
	assert.Error(t, err, "a folder without frames")

	for name, c := range map[string]struct {
		seconds float64
		count   int
		o       WindowOptions
		texts   string
	}{
		"short":  {0.08, 500, WindowOptions{}, "stacks up to frame 1: 2"},
		"frame":  {0.2, 500, WindowOptions{Frame: frame(7)}, "no frame 7"},
		"early":  {0.2, 500, WindowOptions{Frame: frame(0)}, "up to frame 0: 1"},
		"silent": {0.2, 0, WindowOptions{}, "no events"},
	} {
		s, err := openRecording(recording(3, c.seconds, c.count), SourceOptions{Binning: m.Info.Binning()})
		require.NoError(t, err)
		_, err = Window(context.Background(), m, s, c.o)
		require.ErrorIs(t, err, ErrWindow, name)
		assert.ErrorContains(t, err, c.texts, name)
	}
	other, err := openRecording(recording(3, 0.2, 500), SourceOptions{Binning: data.Binning{Bins: 4, Width: 0.01}})
	require.NoError(t, err)
	_, err = Window(context.Background(), m, other, WindowOptions{})
	assert.ErrorContains(t, err, "4 bins")
	_, err = Window(context.Background(), m, broken(t), WindowOptions{})
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestIsModel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.pt")
	assert.False(t, IsModel(path))
	require.NoError(t, newModel(t, 2).Export(path))
	assert.True(t, IsModel(path))
	require.NoError(t, os.WriteFile(path, []byte("no archive"), 0o644))
	assert.False(t, IsModel(path))
}
