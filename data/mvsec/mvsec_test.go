package mvsec

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/npy"
	"github.com/spikedhs/spikedhs/data/stereo"
)

const systemPython = "/usr/bin/python3"

// sequence makes HDF5 files and their conversion in Python; the test is skipped where
// there is no h5py.
func sequence(t *testing.T) string {
	t.Helper()
	if exec.Command(systemPython, "-c", "import h5py, numpy").Run() != nil {
		t.Skip("no h5py for " + systemPython)
	}
	dir := t.TempDir()
	out, err := exec.Command(systemPython, "testdata/convert.py", dir).CombinedOutput()
	require.NoError(t, err, string(out))
	return dir
}

func options(dir string) Options {
	return Options{
		Data: filepath.Join(dir, "indoor_flying1_data.hdf5"), GT: filepath.Join(dir, "indoor_flying1_gt.hdf5"),
		Calib: filepath.Join(dir, "indoor_flying_calib"), Out: filepath.Join(dir, "out", "indoor_flying_1"),
	}
}

func TestConvert(t *testing.T) {
	dir := sequence(t)
	o := options(dir)
	last := 0
	o.Progress = func(done, total int) { last = done; assert.Equal(t, 7, total) }
	result, err := Convert(context.Background(), o)
	require.NoError(t, err)
	assert.Equal(t, 7, last)
	assert.Equal(t, 7, result.Frames)
	assert.Zero(t, result.Kept)
	assert.Equal(t, stereo.Counts{Events: result.Counts.Events, Unlabelled: 1}, result.Counts)
	assert.Greater(t, result.Outside, 300)
	want := filepath.Join(dir, "want")
	same := func(name string) {
		t.Helper()
		a, err := os.ReadFile(filepath.Join(want, name))
		require.NoError(t, err)
		b, err := os.ReadFile(filepath.Join(o.Out, name))
		require.NoError(t, err)
		require.True(t, bytes.Equal(a, b), name)
	}
	compare := func() {
		t.Helper()
		same("timestamps.txt")
		for i := range 7 {
			for _, v := range []stereo.View{stereo.Left, stereo.Right} {
				name, err := filepath.Rel(o.Out, stereo.EventFile(o.Out, v, i))
				require.NoError(t, err)
				same(name)
			}
			label, err := stereo.ReadLabel(stereo.DisparityFile(o.Out, i), 96, 72)
			require.NoError(t, err)
			array, err := npy.ReadFile(filepath.Join(want, "label", filepath.Base(stereo.EventFile(o.Out, stereo.Left, i))))
			require.NoError(t, err)
			require.True(t, bytes.Equal(npy.Values[uint8](array), label), "label of frame %d", i)
		}
	}
	compare()
	array, err := npy.ReadFile(stereo.EventFile(o.Out, stereo.Left, 4))
	require.NoError(t, err)
	assert.Equal(t, []int{0}, array.Shape, "a frame without events")

	// Package stereo reads it.
	require.NoError(t, stereo.WriteRig(filepath.Dir(o.Out), stereo.Rig{Width: 96, Height: 72, Focal: 55, Baseline: 0.1}))
	set, err := stereo.Open(filepath.Dir(o.Out), stereo.Options{Cache: "none"})
	require.NoError(t, err)
	frames, err := set.Frames()
	require.NoError(t, err)
	steps, err := set.Stream(context.Background(), frames, 0)
	require.NoError(t, err)
	defer steps.Close()
	for range frames {
		_, err := steps.Next()
		require.NoError(t, err)
	}
	assert.True(t, set.Counts()["indoor_flying_1"].Clean())

	// Some frames are made again, others kept.
	for _, i := range []int{2, 3, 6} {
		require.NoError(t, os.Remove(stereo.DisparityFile(o.Out, i)))
		require.NoError(t, os.Remove(stereo.EventFile(o.Out, stereo.Left, i)))
	}
	require.NoError(t, os.Remove(filepath.Join(o.Out, stereo.TimestampsFile)))
	result, err = Convert(context.Background(), o)
	require.NoError(t, err)
	assert.Equal(t, 4, result.Kept)
	compare()

	// An interrupted call has whole files only, and can be repeated.
	o.Out = filepath.Join(dir, "out2")
	ctx, cancel := context.WithCancel(context.Background())
	o.Progress = func(done, _ int) {
		if done == 2 {
			cancel()
		}
	}
	_, err = Convert(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
	o.Progress = nil
	_, err = Convert(context.Background(), o)
	require.NoError(t, err)
	compare()
	left, err := filepath.Glob(filepath.Join(o.Out, "*", "*.tmp"))
	require.NoError(t, err)
	assert.Empty(t, left)

	t.Run("bad data is counted", func(t *testing.T) {
		o := options(dir)
		o.Data, o.Out = filepath.Join(dir, "bad_data.hdf5"), filepath.Join(dir, "bad")
		var log bytes.Buffer
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		result, err := Convert(context.Background(), o)
		require.NoError(t, err)
		assert.Equal(t, stereo.Counts{Events: result.Counts.Events, OutOfFrame: 15, BadPolarity: 3, Unsorted: 1, Unlabelled: 1}, result.Counts)
		assert.Contains(t, log.String(), "bad_polarity=3")
		o.Data = filepath.Join(dir, "indoor_flying1_data.hdf5")
		_, err = Convert(context.Background(), o)
		assert.ErrorContains(t, err, "was made from other files")
	})
	for name, c := range map[string]struct {
		spoil  func(o *Options)
		target error
		text   string
	}{
		"no group":      {func(o *Options) { o.Data = filepath.Join(dir, "no_group_data.hdf5") }, data.ErrNotFound, `no_group_data.hdf5: group /davis has no "right"`},
		"no data set":   {func(o *Options) { o.Data = filepath.Join(dir, "no_right_data.hdf5") }, data.ErrNotFound, `group /davis has no "left"`},
		"swapped":       {func(o *Options) { o.Data, o.GT = o.GT, o.Data }, data.ErrNotFound, `has no "events"`},
		"no file":       {func(o *Options) { o.GT += "x" }, data.ErrNotFound, "no such file"},
		"no HDF5":       {func(o *Options) { o.GT = filepath.Join(want, "timestamps.txt") }, data.ErrFormat, "no HDF5 signature"},
		"no maps":       {func(o *Options) { o.Calib = want }, data.ErrNotFound, "0 files *_left_x_map.txt"},
		"times go back": {func(o *Options) { o.GT = filepath.Join(dir, "bad_gt.hdf5") }, data.ErrFormat, "time 1, 15046"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(dir)
			o.Out = filepath.Join(dir, "fault")
			c.spoil(&o)
			_, err := Convert(context.Background(), o)
			require.ErrorIs(t, err, c.target)
			assert.ErrorContains(t, err, c.text)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestReadMap(t *testing.T) {
	path := filepath.Join(t.TempDir(), "map.txt")
	for text, want := range map[string]string{
		"1 2\n3\n":        "map.txt:2: the map is not 2 lines of 2 numbers",
		"1 2\n":           "the map is not 2 lines",
		"1 2\n3 4\n5 6\n": "map.txt:3: the map is not",
		"1 2\n3 x\n":      `map.txt:2: "x" is no number`,
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := readMap(path, 2, 2)
		require.ErrorIs(t, err, data.ErrFormat)
		assert.ErrorContains(t, err, want)
	}
	require.NoError(t, os.WriteFile(path, []byte("1 2.5\n\n-3e1 4\n"), 0o600))
	values, err := readMap(path, 2, 2)
	require.NoError(t, err)
	assert.Equal(t, []float64{1, 2.5, -30, 4}, values)
}
