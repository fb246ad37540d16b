package stereo

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
)

func TestReadDAT(t *testing.T) {
	zero, err := ReadDAT(strings.NewReader("# t x y p retina\n100 3 4 1 1\n90 5 6 0 0\n\n80 7 8 0 0\n200 128 0 1 1\n300 1 1 2 1\n"), RecordingOptions{})
	require.NoError(t, err)
	require.Equal(t, []Event{{T: 100e-6, X: 3, Y: 4, P: 1}}, zero.Events[Left])
	require.Equal(t, []Event{{T: 80e-6, X: 7, Y: 8, P: -1}, {T: 90e-6, X: 5, Y: 6, P: -1}}, zero.Events[Right])
	require.Equal(t, Counts{Events: 5, Unsorted: 1, OutOfFrame: 1, BadPolarity: 1}, zero.Counts)
	one, err := ReadDAT(strings.NewReader("1000000 1 128 -1 0\n2000000 2 1 1 1\n"), RecordingOptions{})
	require.NoError(t, err)
	require.Equal(t, []Event{{T: 1, X: 0, Y: 127, P: -1}}, one.Events[Left])
	require.Equal(t, []Event{{T: 2, X: 1, Y: 0, P: 1}}, one.Events[Right])
	require.True(t, one.Counts.Clean())
	for text, want := range map[string]string{
		"1 2 3 1\n":              "line 1 has 4 columns",
		"1 2 3 1 0\n1 2 x 1 0":   `line 2: "x" is no number`,
		"1 2 3 1 5":              "retina 5; it is 0 or 1",
		strings.Repeat("1", 1e6): "a line is longer than any event",
	} {
		_, err := ReadDAT(strings.NewReader(text), RecordingOptions{})
		require.ErrorIs(t, err, data.ErrFormat)
		require.ErrorContains(t, err, want)
	}
	_, err = ReadDAT(strings.NewReader(""), RecordingOptions{Width: -1})
	require.Error(t, err)
	_, err = ReadRecording(filepath.Join(t.TempDir(), "none.dat"), RecordingOptions{})
	require.ErrorIs(t, err, data.ErrNotFound)
	_, err = ReadRecording(filepath.Join(t.TempDir(), "none.npz"), RecordingOptions{})
	require.ErrorIs(t, err, data.ErrNotFound)
}

// given gives events of views one after the other.
func given(views []View, events []Event) func() (View, Event, error) {
	k := -1
	return func() (View, Event, error) {
		if k++; k >= len(events) {
			return 0, Event{}, io.EOF
		}
		return views[k], events[k], nil
	}
}

func TestSlicer(t *testing.T) {
	s, err := NewSlicer(4, 3, Binning{}, 0, given([]View{Left, Right, Left, Left, Left, Right}, []Event{
		{T: 10, X: 1, Y: 2, P: 1}, {T: 10.045, X: 3, Y: 0, P: -1},
		{T: 9.99, X: 1, Y: 2, P: 1}, // too late
		{T: 10.01, X: 4, Y: 2, P: 1},
		{T: 10.16, X: 0, Y: 0, P: 1}, // two empty steps between
		{T: 1e9, X: 0, Y: 0, P: 1},
	}))
	require.NoError(t, err)
	var steps []*Step
	for range 5 { // a pause does not give millions of steps
		step, _, err := s.Next()
		require.NoError(t, err)
		steps = append(steps, step)
	}
	_, _, err = s.Next()
	require.Equal(t, io.EOF, err)
	require.Equal(t, 2, s.Late())
	require.True(t, steps[0].Reset)
	require.False(t, steps[1].Reset)
	require.InDelta(t, 10.05, steps[0].Time, 1e-9)
	want := make([]float32, 5*3*4)
	want[2*4+1] = 1
	require.Equal(t, want, steps[0].Left, "the oldest bin is first")
	want = make([]float32, 5*3*4)
	want[4*12+3] = -1
	require.Equal(t, want, steps[0].Right)
	require.Equal(t, make([]float32, 60), steps[1].Left)
	require.Equal(t, float32(1), steps[3].Left[0])
	require.True(t, steps[4].Reset)
	require.Equal(t, 1e9+0.05, steps[4].Time)
	require.Equal(t, float32(1), steps[4].Right[0])
	_, err = NewSlicer(0, 3, Binning{}, 0, nil)
	require.Error(t, err)
	_, err = NewSlicer(4, 3, Binning{}, -1, nil)
	require.ErrorContains(t, err, "a step every -1 s")
	broken := errors.New("no camera")
	s, err = NewSlicer(4, 3, Binning{}, 0, func() (View, Event, error) { return 0, Event{}, broken })
	require.NoError(t, err)
	_, _, err = s.Next()
	require.Equal(t, broken, err)
}

// TestStepsAreStacks compares the steps of a recording with stacks of its events.
func TestStepsAreStacks(t *testing.T) {
	s := openSet(t, makeSet(t, 6, "a"), Options{Cache: "none"})
	rec := &Recording{Width: 12, Height: 9}
	for i := range 6 {
		for _, v := range []View{Left, Right} {
			events, _, err := s.Events(v, Frame{"a", i})
			require.NoError(t, err)
			rec.Events[v] = append(rec.Events[v], events...)
		}
	}
	start := min(rec.Events[Left][0].T, rec.Events[Right][0].T)
	steps, err := rec.Steps(Binning{}, 0)
	require.NoError(t, err)
	for k := 0; ; k++ {
		step, _, err := steps.Next()
		if err == io.EOF {
			require.Equal(t, 6, k)
			break
		}
		require.NoError(t, err)
		end := start + float64(k+1)*0.05
		for v, got := range [][]float32{step.Left, step.Right} {
			var window []Event
			for _, e := range rec.Events[v] {
				if e.T >= end-0.05 && e.T < end {
					window = append(window, e)
				}
			}
			want := make([]int8, len(got))
			require.Zero(t, Binning{}.Stack(want, window, end, 12, 9))
			for i := range want {
				require.EqualValues(t, want[i], got[i])
			}
		}
	}
}

// unpackShared unpacks the real recordings, which are no part of the project.
func unpackShared(t *testing.T, archive string) string {
	t.Helper()
	shared := os.Getenv("SPIKEDHS_SHARED_DATA")
	if shared == "" {
		t.Skip("SPIKEDHS_SHARED_DATA names no folder with " + archive)
	}
	f, err := os.Open(filepath.Join(shared, archive))
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	dir := t.TempDir()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		require.NoError(t, err)
		if h.Typeflag != tar.TypeReg {
			continue
		}
		out, err := os.Create(filepath.Join(dir, filepath.Base(h.Name)))
		require.NoError(t, err)
		_, err = io.Copy(out, r)
		require.NoError(t, err)
		require.NoError(t, out.Close())
	}
}

// TestRealRecordings reads all recordings of Dikov et al. and looks for the shift
// between the views where stacks agree best: it is the disparity that the names tell,
// and above 0 in all, so that left is left.
func TestRealRecordings(t *testing.T) {
	dir := unpackShared(t, "stereo_dvs_gdikov.tar.gz")
	for _, want := range []struct {
		name                   string
		events, bad, low, high int
	}{
		{"Fan_disp8.dat", 136233, 0, 8, 8},
		{"NSTlogo_disp12-8-3.dat", 2600, 0, 12, 12},
		{"movingPersons.dat", 61947, 0, 12, 14},
		{"movingPersonFaraway.dat", 10664, 0, 11, 13},
		{"Back_On_02_2xscaled-well.npz", 1171965, 0, 6, 9},
		{"pendulum_left_30cm_2.tsv.npz", 402559, 1233, 15, 31},
		{"NSTlogo_disp12-8-3_noisy.dat", 199470, 0, -1, 0},
		{"Small_input_test.dat", 8, 0, -1, 0},
	} {
		name := want.name
		rec, err := ReadRecording(filepath.Join(dir, name), RecordingOptions{})
		require.NoError(t, err, name)
		require.Equal(t, want.events, rec.Counts.Events, name)
		require.Equal(t, Counts{Events: want.events, OutOfFrame: want.bad, Unsorted: rec.Counts.Unsorted}, rec.Counts, name)
		if want.high == 0 {
			continue
		}
		var agreement [64]float64
		steps, err := rec.Steps(Binning{}, 0)
		require.NoError(t, err)
		for n := 0; n < 60; n++ {
			step, _, err := steps.Next()
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			for i, l := range step.Left {
				if x := i % step.W; l != 0 {
					for d := max(-31, x-step.W+1); d <= min(32, x); d++ {
						agreement[d+31] += float64(l * step.Right[i-d])
					}
				}
			}
		}
		shift := slices.Index(agreement[:], slices.Max(agreement[:])) - 31
		require.GreaterOrEqual(t, shift, want.low, name)
		require.LessOrEqual(t, shift, want.high, name)
	}
}
