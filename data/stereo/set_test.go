package stereo

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/npy"
)

func TestSetReadsWhatIsThere(t *testing.T) {
	root := makeSet(t, 4, "b", "a")
	s := openSet(t, root, Options{})
	assert.Equal(t, []string{"a", "b"}, s.Sequences())
	assert.Equal(t, smallRig, s.Rig())
	frames, err := s.Frames()
	require.NoError(t, err)
	assert.Equal(t, []string{"a/0", "a/1", "a/2", "a/3", "b/0", "b/1", "b/2", "b/3"}, frameNames(frames))
	assert.Equal(t, []string{"a/2", "a/3", "b/2", "b/3"}, frameNames(Windows(frames, 3)))
	_, err = s.Split()
	require.ErrorIs(t, err, data.ErrNotFound)
	require.NoError(t, WriteScenes(root, Scenes{Train: []string{"b"}, Test: []string{"a"}}))
	p, err := s.Split()
	require.NoError(t, err)
	assert.Len(t, p.Train, 4)
	assert.Empty(t, p.Validation)
	_, err = s.MVSEC(1)
	require.ErrorIs(t, err, data.ErrNotFound)
	one := openSet(t, filepath.Join(root, "a"), Options{Cache: "none"})
	assert.Equal(t, []string{"a"}, one.Sequences())
	assert.Equal(t, smallRig, one.Rig())
}

// oracle is a stack in plain loops over an event file.
func oracle(t *testing.T, s *Set, v View, f Frame) []int8 {
	array, err := npy.ReadFile(EventFile(s.Dir(f.Sequence), v, f.Index))
	require.NoError(t, err)
	rows := npy.Values[float64](array)
	w, h := s.Rig().Width, s.Rig().Height
	sum := make([]float64, 5*w*h)
	for i := 0; i < len(rows); i += 4 {
		c := int((s.Times(f.Sequence)[f.Index] - rows[i]) * 1000 / 10)
		sum[((4-c)*h+int(rows[i+2]))*w+int(rows[i+1])] += rows[i+3]
	}
	stack := make([]int8, len(sum))
	for i, v := range sum {
		if v != 0 {
			stack[i] = int8(math.Copysign(1, v))
		}
	}
	return stack
}

func TestStacksAreCached(t *testing.T) {
	root := makeSet(t, 3, "a")
	s := openSet(t, root, Options{})
	frames, err := s.Frames()
	require.NoError(t, err)
	for _, f := range frames {
		for _, v := range []View{Left, Right} {
			_, err := stackOf(s, v, f)
			require.NoError(t, err)
		}
	}
	for _, v := range []View{Left, Right} {
		for _, f := range frames {
			want := oracle(t, s, v, f)
			got, err := stackOf(s, v, f)
			require.NoError(t, err)
			assert.Equal(t, want, got)
			// A new set finds it on the disk: the events may be unreadable by then.
			path := EventFile(s.Dir("a"), v, f.Index)
			info, err := os.Stat(path)
			require.NoError(t, err)
			old, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, make([]byte, len(old)), 0o600))
			require.NoError(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
			got, err = stackOf(openSet(t, root, Options{}), v, f)
			require.NoError(t, err)
			assert.Equal(t, want, got)
			// Another time of change is another key.
			require.NoError(t, os.Chtimes(path, info.ModTime().Add(5e9), info.ModTime().Add(5e9)))
			_, err = stackOf(openSet(t, root, Options{}), v, f)
			require.ErrorIs(t, err, data.ErrFormat)
			require.NoError(t, os.WriteFile(path, old, 0o600))
		}
	}
	// Spoiled files of the cache are computed again.
	kept, err := filepath.Glob(filepath.Join(root, CacheFolder, "a", "*", "*.sbt"))
	require.NoError(t, err)
	require.Len(t, kept, 6)
	for _, path := range kept {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		b[len(b)-1] ^= 0xff
		require.NoError(t, os.WriteFile(path, b, 0o600))
	}
	got, err := stackOf(openSet(t, root, Options{}), Right, frames[1])
	require.NoError(t, err)
	assert.Equal(t, oracle(t, s, Right, frames[1]), got)
}

func TestBadData(t *testing.T) {
	root := makeSet(t, 3, "a")
	dir := filepath.Join(root, "a")
	end := openSet(t, root, Options{}).Times("a")
	nan := math.NaN()
	rows := []float64{
		end[1] - 0.01, 3, 4, 1,
		end[1] - 0.02, 3, 4, 1, // unsorted, counted and used
		end[1] - 0.009, 12, 4, 1, // x too large
		end[1] - 0.009, -1, 4, 1,
		end[1] - 0.009, 3, 9, 1,
		end[1] - 0.009, 3, nan, 1,
		end[1] - 0.009, 3.5, 4, 1,
		end[1] - 0.009, 3, 4, 0, // polarity
		end[1] - 0.009, 3, 4, 2,
		nan, 3, 4, 1, // time
		end[1] - 1, 3, 4, 1, // not of this frame; unsorted too
	}
	require.NoError(t, npy.WriteFile(EventFile(dir, Left, 1), []int{len(rows) / 4, 4}, rows))
	require.NoError(t, WriteLabel(DisparityFile(dir, 1), 12, 9, slices.Repeat([]byte{Invalid}, 108)))
	var log bytes.Buffer
	s := openSet(t, root, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for range 2 { // counted once
		stack, err := stackOf(s, Left, Frame{"a", 1})
		require.NoError(t, err)
		set := 0
		for _, v := range stack {
			set += int(v)
		}
		assert.Equal(t, 2, set)
		_, err = s.Label(Frame{"a", 1})
		require.NoError(t, err)
	}
	want := Counts{Events: 11, Unsorted: 2, OutOfFrame: 5, BadPolarity: 2, BadTime: 2, Unlabelled: 1}
	assert.Equal(t, want, s.Counts()["a"])
	assert.Equal(t, 1, bytes.Count(log.Bytes(), []byte("\n")))
	assert.Contains(t, log.String(), "bad_polarity=2")
	// The disk cache remembers what was wrong.
	again := openSet(t, root, Options{})
	_, err := stackOf(again, Left, Frame{"a", 1})
	require.NoError(t, err)
	want.Unlabelled = 0
	assert.Equal(t, want, again.Counts()["a"])

	fails := func(target error, text string, spoil func(dir string)) {
		t.Helper()
		root := makeSet(t, 3, "a")
		spoil(filepath.Join(root, "a"))
		s, err := Open(root, Options{})
		if err == nil {
			var frames []Frame
			frames, err = s.Frames()
			require.NoError(t, err)
			var l *data.Loader
			l, err = NewLoader(s, frames, WindowOptions{Steps: 2}, data.LoaderOptions{Batch: 1})
			require.NoError(t, err)
			batches := l.Epoch(context.Background(), 0, 0)
			for err == nil {
				_, err = batches.Next()
			}
		}
		require.ErrorIs(t, err, target)
		assert.ErrorContains(t, err, text)
		assert.NotContains(t, err.Error(), "\n")
	}
	write := func(path string, b []byte) { require.NoError(t, os.WriteFile(path, b, 0o600)) }
	fails(data.ErrNotFound, "frame 1: open", func(dir string) { require.NoError(t, os.Remove(EventFile(dir, Right, 1))) })
	fails(data.ErrNotFound, "frame 2: open", func(dir string) { require.NoError(t, os.Remove(DisparityFile(dir, 2))) })
	fails(data.ErrFormat, "truncated", func(dir string) {
		b, err := os.ReadFile(EventFile(dir, Left, 1))
		require.NoError(t, err)
		write(EventFile(dir, Left, 1), b[:len(b)-9])
	})
	fails(data.ErrFormat, "shape [2 3]", func(dir string) {
		require.NoError(t, npy.WriteFile(EventFile(dir, Left, 1), []int{2, 3}, make([]float64, 6)))
	})
	fails(data.ErrFormat, "5 x 9 pixels; the rig has 12 x 9", func(dir string) {
		require.NoError(t, WriteLabel(DisparityFile(dir, 1), 5, 9, make([]byte, 45)))
	})
	fails(data.ErrFormat, "png", func(dir string) { write(DisparityFile(dir, 1), []byte("nonsense")) })
	fails(data.ErrFormat, "is not after the one before it", func(dir string) {
		write(filepath.Join(dir, TimestampsFile), []byte("# timestamp\n2.0\n1.0\n"))
	})
	fails(data.ErrFormat, "is not a time in seconds", func(dir string) {
		write(filepath.Join(dir, TimestampsFile), []byte("# timestamp\nnan\n"))
	})
	fails(data.ErrFormat, "rig.json", func(dir string) { write(filepath.Join(dir, "..", RigFile), []byte("{")) })
	fails(data.ErrFormat, "sizes must be", func(dir string) { write(filepath.Join(dir, "..", RigFile), []byte("{}")) })
	fails(data.ErrNotFound, "no sequence", func(dir string) { require.NoError(t, os.Remove(filepath.Join(dir, TimestampsFile))) })
}

func TestEmptyEventFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "e.npy")
	require.NoError(t, WriteEvents(path, nil))
	events, counts, err := ReadEvents(path, 3, 3)
	require.NoError(t, err)
	assert.Empty(t, events)
	assert.True(t, counts.Clean())
	array, err := npy.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, []int{0}, array.Shape)
}

func TestStreamIsChronological(t *testing.T) {
	s := openSet(t, makeSet(t, 8, "a", "b"), Options{})
	st, err := s.Stream(context.Background(), []Frame{{"b", 6}, {"b", 3}, {"a", 1}}, 2)
	require.NoError(t, err)
	defer st.Close()
	var got []string
	for {
		step, err := st.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		name := frameNames([]Frame{step.Frame})[0]
		if step.Reset {
			name += " reset"
		}
		if step.Scored {
			name += " scored"
		}
		got = append(got, name)
		for i, v := range oracle(t, s, Right, step.Frame) {
			require.EqualValues(t, v, step.Right[i])
		}
		require.Len(t, step.Label, 108)
		require.Equal(t, s.Times(step.Frame.Sequence)[step.Frame.Index], step.Time)
	}
	assert.Equal(t, []string{"b/1 reset", "b/2", "b/3 scored", "b/4", "b/5", "b/6 scored", "a/0 reset", "a/1 scored"}, got)
	assert.Equal(t, 8, st.Len())
}
