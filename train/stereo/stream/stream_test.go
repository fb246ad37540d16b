package stream

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data/npy"
	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
)

// all reads a source to its end.
func all(t *testing.T, s Source) []*data.Step {
	t.Helper()
	var steps []*data.Step
	step, _, err := s.Next()
	for ; err == nil; step, _, err = s.Next() {
		steps = append(steps, step)
	}
	require.Equal(t, io.EOF, err)
	_, _, err = s.Next()
	assert.Equal(t, io.EOF, err)
	require.NoError(t, s.Close())
	return steps
}

// Steps of a recording and of a pipe are the same.
func TestSourcesAgree(t *testing.T) {
	r := recording(3, 0.93, 4000)
	a, err := openRecording(r, SourceOptions{Binning: data.Binning{Bins: 5, Width: 0.01}})
	require.NoError(t, err)
	b, err := Open(context.Background(), "-", SourceOptions{In: bytes.NewReader(packets(t, r))})
	require.NoError(t, err)
	one, two := all(t, a), all(t, b)
	require.Len(t, one, 19)
	assert.Equal(t, one, two)
	assert.Zero(t, a.Wrong()+b.Wrong())
	path := filepath.Join(t.TempDir(), "events.bin")
	require.NoError(t, os.WriteFile(path, packets(t, r), 0o644))
	c, err := Open(context.Background(), path, SourceOptions{})
	require.NoError(t, err)
	assert.Equal(t, Source(c).Rig(), data.Rig{Width: width, Height: height})
	assert.Equal(t, one, all(t, c))
}

// A step every 20 ms has the events of the 50 ms before it, counted here one by one;
// one every 80 ms leaves 30 ms out.
func TestEvery(t *testing.T) {
	r := recording(4, 0.6, 3000)
	first := min(r.Events[0][0].T, r.Events[1][0].T)
	for _, every := range []float64{0.02, 0.08} {
		s, err := openRecording(r, SourceOptions{Binning: data.Binning{Bins: 1, Width: 0.05}, Every: every})
		require.NoError(t, err)
		for k, step := range all(t, s) {
			begin := first + float64(k)*every
			assert.InDelta(t, begin+0.05, step.Time, 1e-9)
			sums := make([]int, width*height)
			for _, e := range r.Events[0] {
				if e.T >= begin-1e-9 && e.T < begin+0.05 {
					sums[int(e.Y)*width+int(e.X)] += int(e.P)
				}
			}
			for i, sum := range sums {
				require.Equal(t, float32(min(1, max(-1, sum))), step.Left[i], "step %d pixel %d", k, i)
			}
		}
		assert.Zero(t, s.Wrong())
	}
}

func TestPacketsRefused(t *testing.T) {
	good := packets(t, recording(5, 0.1, 20))
	for name, change := range map[string]func([]byte) []byte{
		"empty":     func(b []byte) []byte { return nil },
		"head":      func(b []byte) []byte { return b[:10] },
		"magic":     func(b []byte) []byte { b[0] = 'X'; return b },
		"size":      func(b []byte) []byte { b[8], b[9] = 0, 0; return b },
		"truncated": func(b []byte) []byte { return b[:len(b)-3] },
		"view":      func(b []byte) []byte { b[16+13] = 7; return b },
	} {
		s, err := Open(context.Background(), "-", SourceOptions{In: bytes.NewReader(change(bytes.Clone(good)))})
		for err == nil {
			_, _, err = s.Next()
		}
		assert.ErrorIs(t, err, ErrPackets, name)
	}
	bad := bytes.Clone(good)
	bad[16+8] = 200 // a column outside
	bad[32+12] = 5  // a polarity
	s, err := Open(context.Background(), "-", SourceOptions{In: bytes.NewReader(bad)})
	require.NoError(t, err)
	all(t, s)
	assert.Equal(t, 2, s.Wrong())
}

func FuzzPackets(f *testing.F) {
	f.Add(packets(f, recording(6, 0.2, 50)))
	f.Add([]byte(packetMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := newPacketReader(bytes.NewReader(b))
		if err != nil {
			return
		}
		for {
			v, e, err := r.next()
			if err != nil {
				return
			}
			require.True(t, v == data.Left || v == data.Right)
			require.True(t, int(e.X) < r.width && int(e.Y) < r.height && (e.P == 1 || e.P == -1))
		}
	})
}

// Without a split and with T steps in all, the last step of a stream is the window
// over the whole past; windows of fewer differ.
func TestStreamEqualsWindowOverTheWholePast(t *testing.T) {
	m := newModel(t, 4)
	steps := []*data.Step{}
	r := recording(8, 0.2, 4000)
	s, err := openRecording(r, SourceOptions{Binning: m.Info.Binning()})
	require.NoError(t, err)
	var last []float32
	result, err := Run(context.Background(), m, s, Options{Out: func(step *data.Step, d []float32) error {
		steps, last = append(steps, step), d
		return nil
	}})
	require.NoError(t, err)
	require.Equal(t, 4, result.Steps)
	require.Equal(t, 1, result.Sequences)
	window, err := m.disparity(steps, nil, search.Float32)
	require.NoError(t, err)
	assert.InDeltaSlice(t, floats64(window), floats64(last), 1e-4)
	short, err := m.disparity(steps[3:], nil, search.Float32)
	require.NoError(t, err)
	assert.NotEqual(t, window, short)
}

func floats64(list []float32) []float64 {
	out := make([]float64, len(list))
	for i, x := range list {
		out[i] = float64(x)
	}
	return out
}

// A folder is streamed sequence by sequence, each from rest; frames are scored that
// have a whole window, and where that is the whole past both scores are one.
func TestFolder(t *testing.T) {
	root := folderOf(t, 3, "one", "two")
	m := newModel(t, 3)
	out := filepath.Join(t.TempDir(), "out")
	for _, f := range Formats() {
		s, err := Open(context.Background(), root, SourceOptions{Binning: m.Info.Binning()})
		require.NoError(t, err)
		assert.Equal(t, 6, s.Len())
		done := 0
		result, err := Run(context.Background(), m, s, Options{Window: 3, Out: FileWriter(filepath.Join(out, string(f)), f, 21), Progress: func(n int) { done = n }})
		require.NoError(t, err)
		require.NoError(t, s.Close())
		assert.Equal(t, 6, done)
		assert.Equal(t, 2, result.Sequences)
		assert.Equal(t, 2, result.Streaming.Frames)
		assert.InDelta(t, result.Windowed.OnePixelAccuracy, result.Streaming.OnePixelAccuracy, 0.1)
		assert.Positive(t, result.Network.FPSP50)
		assert.Less(t, result.Total.FPSP95, result.Network.FPSP95*1.02)
	}
	array, err := npy.ReadFile(filepath.Join(out, "npy", "two", "000002.npy"))
	require.NoError(t, err)
	assert.Equal(t, []int{height, width}, array.Shape)
	raw, err := os.ReadFile(filepath.Join(out, "raw", "two", "000002.raw"))
	require.NoError(t, err)
	require.Len(t, raw, 4*width*height)
	assert.Equal(t, npy.Values[float32](array)[5], math.Float32frombits(binary.LittleEndian.Uint32(raw[20:])))
	picture := size(t, filepath.Join(out, "png", "one", "000000.png"))
	assert.Equal(t, image.Pt(width, height), picture)
	// The frames of this folder have the truth: five pictures, with gaps between them.
	panel := size(t, filepath.Join(out, "panel", "one", "000000.png"))
	zoom := panel.Y / height
	assert.Equal(t, image.Pt(5*zoom*width+4*2, zoom*height), panel)

	_, err = Open(context.Background(), root, SourceOptions{Split: "nowhere"})
	assert.Error(t, err)
	_, err = Open(context.Background(), root, SourceOptions{Every: 0.01})
	assert.Error(t, err)
}

// size is that of a picture.
func size(t *testing.T, path string) image.Point {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	c, err := png.DecodeConfig(f)
	require.NoError(t, err)
	return image.Pt(c.Width, c.Height)
}

// broken is a source whose events cannot be read.
func broken(t *testing.T) Source {
	t.Helper()
	s, err := data.NewSlicer(width, height, data.Binning{}, 0, func() (data.View, data.Event, error) {
		return 0, data.Event{}, io.ErrUnexpectedEOF
	})
	require.NoError(t, err)
	return &flow{Slicer: s, bad: func() int { return 0 }}
}

// A stream can be stopped, and ends with its context.
func TestRunEnds(t *testing.T) {
	m := newModel(t, 2)
	s, err := openRecording(recording(9, 1, 1000), SourceOptions{Binning: m.Info.Binning()})
	require.NoError(t, err)
	result, err := Run(context.Background(), m, s, Options{Steps: 2})
	require.NoError(t, err)
	assert.Equal(t, 2, result.Steps)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Run(ctx, m, s, Options{})
	assert.ErrorIs(t, err, context.Canceled)
	_, err = Run(context.Background(), m, broken(t), Options{})
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestExport(t *testing.T) {
	m := newModel(t, 3)
	path := filepath.Join(t.TempDir(), "model.pt")
	require.NoError(t, m.Export(path))
	a, err := m.Check(path)
	require.NoError(t, err)
	assert.Equal(t, 3*width*height, a.Pixels)
	again, err := Load(path, torch.CPU())
	require.NoError(t, err)
	defer again.Close()
	assert.Equal(t, m.Info, again.Info)
	left := files(t, filepath.Dir(path))
	assert.Equal(t, []string{"model.pt"}, left, "nothing is left over")

	step := &data.Step{C: 5, H: height, W: width, Left: make([]float32, 5*width*height), Right: make([]float32, 5*width*height)}
	for i := range step.Left {
		step.Left[i], step.Right[i] = float32(i%3-1), float32(i%5/2-1)
	}
	want, err := m.disparity([]*data.Step{step}, nil, search.Float32)
	require.NoError(t, err)
	have, err := again.disparity([]*data.Step{step}, nil, search.Float32)
	require.NoError(t, err)
	assert.Equal(t, want, have)

	other := newModel(t, 3)
	require.NoError(t, torch.Seed(8))
	s := torch.NewInference()
	defer s.Close()
	other.program.Close() // its weights are gone: Check must not say that all is well
	_, err = other.Check(path)
	assert.Error(t, err)
	require.NoError(t, os.WriteFile(path, []byte("no archive"), 0o644))
	_, err = Load(path, torch.CPU())
	assert.ErrorIs(t, err, ErrModel)
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestLatencies(t *testing.T) {
	var l latencies
	assert.Zero(t, l.speed())
	for i := range 100 {
		l.add(time.Duration(i+1) * time.Millisecond)
	}
	assert.InEpsilon(t, 50, l.speed().MillisecondsP50, 0.011)
	assert.InEpsilon(t, 95, l.speed().MillisecondsP95, 0.011)
	assert.InEpsilon(t, 20, l.speed().FPSP50, 0.011)
}

// Over 5,000 steps neither tensors nor the memory of the process grow.
func TestMemoryOverALongStream(t *testing.T) {
	if testing.Short() {
		t.Skip("long: leave -short away")
	}
	m := newModel(t, 3)
	in, out := io.Pipe()
	go func() { // 5,001 steps of ten events each, never all in memory
		const width, height = 24, 12 // the least that has room for the disparities
		err := writeHead(out, width, height)
		for i := 0; err == nil && i < 50010; i++ {
			err = writePacket(out, data.View(i%2), data.Event{T: float64(i) * 0.005, X: uint16(i % width), Y: uint16(i % height), P: 1})
		}
		out.CloseWithError(err)
	}()
	s, err := Open(context.Background(), "-", SourceOptions{In: in, Binning: m.Info.Binning()})
	require.NoError(t, err)
	var live int64
	var resident float64
	result, err := Run(context.Background(), m, s, Options{Progress: func(done int) {
		switch done {
		case 500:
			live, resident = torch.LiveTensors(), residentMB(t)
		case 1000, 2500, 5000:
			assert.Equal(t, live, torch.LiveTensors(), done)
			now := residentMB(t)
			t.Logf("%d steps: %.1f MB resident, %.1f at 500", done, now, resident)
			assert.Less(t, now, resident+16)
		}
	}})
	require.NoError(t, err)
	assert.Equal(t, 5001, result.Steps)
}

func residentMB(t *testing.T) float64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("no /proc on this machine")
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	require.NoError(t, err)
	return float64(pages*os.Getpagesize()) / (1 << 20)
}
