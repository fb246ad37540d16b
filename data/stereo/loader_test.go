package stereo

import (
	"context"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
)

type gathered struct {
	frames              [][]Frame
	left, right, labels [][]float32
}

func gather(t *testing.T, l *data.Loader, all []Frame, epoch, first int) (g gathered) {
	t.Helper()
	batches := l.Epoch(context.Background(), epoch, first)
	defer batches.Close()
	for k := first; ; k++ {
		b, err := batches.Next()
		if err == io.EOF {
			return g
		}
		require.NoError(t, err)
		require.Equal(t, k, b.Index)
		var frames []Frame
		for _, i := range b.Indices {
			frames = append(frames, all[i])
		}
		g.frames = append(g.frames, frames)
		g.left = append(g.left, slices.Clone(b.Inputs[0]))
		g.right = append(g.right, slices.Clone(b.Inputs[1]))
		g.labels = append(g.labels, slices.Clone(b.Truth))
		b.Release()
		b.Release()
	}
}

func TestLoader(t *testing.T) {
	root := makeSet(t, 6, "a", "b")
	s := openSet(t, root, Options{})
	frames, err := s.Frames()
	require.NoError(t, err)
	w := WindowOptions{Steps: 3, CropHeight: 5, CropWidth: 8}
	o := data.LoaderOptions{Batch: 3, Seed: 7, Shuffle: true, Workers: 3}
	l, err := NewLoader(s, frames, w, o)
	require.NoError(t, err)
	all := Windows(frames, 3)
	require.Equal(t, 8, l.Examples().Len())
	require.Equal(t, 3, l.Batches())
	g := gather(t, l, all, 1, 0)
	require.Len(t, g.frames, 3)

	// The same for one worker, another set, a cold memory, and from the middle.
	o.Workers = 1
	again, err := NewLoader(openSet(t, root, Options{Memory: -1, Cache: "none"}), frames, w, o)
	require.NoError(t, err)
	assert.Equal(t, g, gather(t, again, all, 1, 0))
	assert.Equal(t, g.left[2:], gather(t, again, all, 1, 2).left)
	assert.NotEqual(t, g.frames, gather(t, again, all, 2, 0).frames)

	seen := map[Frame]int{}
	offsets := map[[2]int]bool{}
	for k, batch := range g.frames {
		n := len(batch)
		require.Len(t, g.left[k], 3*n*5*5*8)
		require.Len(t, g.labels[k], 3*n*5*8)
		for i, last := range batch {
			seen[last]++
			// One place of the crop fits all steps, both views and the label.
			found := false
			for oy := 0; oy <= 9-5 && !found; oy++ {
				for ox := 0; ox <= 12-8 && !found; ox++ {
					found = matches(t, s, last, g, k, n, i, oy, ox)
					if found {
						offsets[[2]int{oy, ox}] = true
					}
				}
			}
			assert.True(t, found, "window %v", last)
		}
	}
	assert.Len(t, seen, 8)
	assert.Greater(t, len(offsets), 2)
}

// matches compares window i of batch k, n windows large, with a crop at (oy, ox).
func matches(t *testing.T, s *Set, last Frame, g gathered, k, n, i, oy, ox int) bool {
	for step := range 3 {
		f := Frame{last.Sequence, last.Index - 2 + step}
		label, err := s.Label(f)
		require.NoError(t, err)
		for v, out := range [][]float32{g.left[k], g.right[k]} {
			stack := oracle(t, s, View(v), f)
			for c := range 5 {
				for y := range 5 {
					for x := range 8 {
						if float32(stack[(c*9+oy+y)*12+ox+x]) != out[(((step*n+i)*5+c)*5+y)*8+x] {
							return false
						}
						d := g.labels[k][((step*n+i)*5+y)*8+x]
						if want := label[(oy+y)*12+ox+x]; d != want && !(math.IsInf(float64(d), 1) && math.IsInf(float64(want), 1)) {
							return false
						}
					}
				}
			}
		}
	}
	return true
}

func TestLoaderFaults(t *testing.T) {
	s := openSet(t, makeSet(t, 3, "a"), Options{})
	frames, err := s.Frames()
	require.NoError(t, err)
	type options struct {
		windows WindowOptions
		batches data.LoaderOptions
	}
	for want, o := range map[string]options{
		"batch 0":                        {},
		"-1 steps":                       {WindowOptions{Steps: -1}, data.LoaderOptions{Batch: 1}},
		"a crop of 13 x 5 does not fit":  {WindowOptions{CropHeight: 5, CropWidth: 13}, data.LoaderOptions{Batch: 1}},
		"windows of 9 steps make no":     {WindowOptions{Steps: 9}, data.LoaderOptions{Batch: 1}},
		"1 windows of 3 steps make no b": {WindowOptions{Steps: 3}, data.LoaderOptions{Batch: 2, DropLast: true}},
	} {
		_, err := NewLoader(s, frames, o.windows, o.batches)
		assert.ErrorContains(t, err, want)
	}
	_, err = NewLoader(s, []Frame{{"a", 3}}, WindowOptions{Steps: 1}, data.LoaderOptions{Batch: 1})
	assert.ErrorContains(t, err, "no frame 3, the sequence has 3")
	l, err := NewLoader(s, frames, WindowOptions{Steps: 1}, data.LoaderOptions{Batch: 1})
	require.NoError(t, err)
	_, err = l.Epoch(context.Background(), 0, 4).Next()
	assert.ErrorContains(t, err, "no epoch 0, batch 4; an epoch has 3 batches")
	ctx, cancel := context.WithCancel(context.Background())
	batches := l.Epoch(ctx, 0, 0)
	cancel()
	for err = nil; err == nil; {
		_, err = batches.Next()
	}
	require.ErrorIs(t, err, context.Canceled)
	batches = l.Epoch(context.Background(), 0, 0)
	batches.Close()
	_, err = batches.Next()
	require.ErrorIs(t, err, data.ErrClosed)
}
