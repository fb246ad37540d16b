package data

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data/internal/random"
)

// fullAugment is the training augmentation of CIFAR for c channels.
func fullAugment(c int) Augment {
	a := Augment{Pad: 1, CropPadding: 2, Flip: true, Cutout: 4}
	for k := range c {
		a.Mean, a.Std = append(a.Mean, 0.4+0.1*float32(k)), append(a.Std, 0.25)
	}
	return a
}

func newLoader(t testing.TB, set Dataset, opts LoaderOptions) *Loader {
	t.Helper()
	l, err := NewLoader(set, opts)
	require.NoError(t, err)
	return l
}

// drain reads an epoch to its end. It copies what it reads and releases the
// batches, so that buffers used twice at a time would show.
func drain(t testing.TB, l *Loader, epoch, first int) []Batch {
	t.Helper()
	b := l.Epoch(context.Background(), epoch, first)
	defer b.Close()
	var all []Batch
	for {
		batch, err := b.Next()
		if err == io.EOF {
			return all
		}
		require.NoError(t, err)
		kept := Batch{
			Inputs: [][]float32{slices.Clone(batch.Inputs[0])}, Labels: append([]int64(nil), batch.Labels...),
			Sizes: batch.Sizes, N: batch.N, Epoch: batch.Epoch, Index: batch.Index,
		}
		batch.Release()
		all = append(all, kept)
	}
}

// order reads the images of an epoch of a numbered set.
func order(t testing.TB, l *Loader, epoch int) (seen []int64) {
	t.Helper()
	for _, b := range drain(t, l, epoch, 0) {
		seen = append(seen, b.Labels...)
	}
	return seen
}

func TestLoaderShapesAndOrder(t *testing.T) {
	set := noise(t, 11, 3, 5, 6)
	for _, dropLast := range []bool{false, true} {
		l := newLoader(t, set, LoaderOptions{Batch: 4, Workers: 3, DropLast: dropLast, Augment: Augment{Pad: 1}})
		batches := drain(t, l, 2, 0)
		sizes := []int{4, 4, 3}
		if dropLast {
			sizes = sizes[:2]
		}
		require.Equal(t, len(sizes), l.Batches())
		require.Len(t, batches, len(sizes))
		for k, b := range batches {
			assert.Equal(t, []int{sizes[k], 3, 7, 8, 2, k}, []int{b.N, b.C, b.H, b.W, b.Epoch, b.Index})
			assert.Len(t, b.Inputs[0], b.N*3*7*8)
			assert.Len(t, b.Labels, b.N)
			for i, label := range b.Labels {
				assert.Equal(t, int64((k*4+i)%10), label, "without Shuffle the order is that of the set")
			}
		}
	}
}

// The images of a batch are what the definition of Augment makes of the stored
// ones, with the choices drawn from the stream of (seed, epoch, index).
func TestLoaderAgainstDefinition(t *testing.T) {
	const n, epoch, seed = 13, 3, 99
	set, a := noise(t, n, 3, 6, 5), fullAugment(3)
	l := newLoader(t, set, LoaderOptions{Batch: 5, Seed: seed, Workers: 2, Shuffle: true, Augment: a})
	order := random.Permutation(n, seed, random.Order, epoch)
	src := make([]byte, 3*6*5)
	for _, b := range drain(t, l, epoch, 0) {
		for k := range b.N {
			index := order[b.Index*5+k]
			label, err := set.Image(index, src)
			require.NoError(t, err)
			require.Equal(t, int64(label), b.Labels[k])

			var rng rand.PCG
			random.Seed(&rng, seed, random.Item, epoch, index)
			var pick choices
			pick.dy, pick.dx = random.Below(&rng, 5), random.Below(&rng, 5)
			pick.flip = random.Below(&rng, 2) == 1
			pick.row, pick.col = random.Below(&rng, b.H), random.Below(&rng, b.W)
			size := b.C * b.H * b.W
			requireClose(t, slowAugment(a, pick, src, 3, 6, 5), b.Inputs[0][k*size:(k+1)*size])
		}
	}
}

func TestLoaderIsTheSameForAnyNumberOfWorkers(t *testing.T) {
	set := noise(t, 103, 3, 8, 8)
	var want []Batch
	for _, workers := range []int{1, 2, 7, 40} {
		for _, prefetch := range []int{1, 3, 1 << 40} {
			l := newLoader(t, set, LoaderOptions{
				Batch: 10, Seed: 5, Workers: workers, Prefetch: prefetch, Shuffle: true, Augment: fullAugment(3),
			})
			got := drain(t, l, 4, 0)
			if want == nil {
				want = got
			}
			require.Equal(t, want, got, "%d workers, prefetch %d", workers, prefetch)
		}
	}
}

func TestLoaderResumesAnywhere(t *testing.T) {
	set := noise(t, 57, 1, 8, 8)
	opts := LoaderOptions{Batch: 10, Seed: 5, Workers: 3, Shuffle: true, Augment: fullAugment(1)}
	want := drain(t, newLoader(t, set, opts), 6, 0)
	for first := range want {
		assert.Equal(t, want[first:], drain(t, newLoader(t, set, opts), 6, first))
	}
	assert.Empty(t, drain(t, newLoader(t, set, opts), 6, len(want)))
}

func TestLoaderOrderDependsOnSeedAndEpoch(t *testing.T) {
	set := numbered(t, 100)
	opts := LoaderOptions{Batch: 7, Seed: 1, Shuffle: true}
	first := order(t, newLoader(t, set, opts), 0)
	seen := map[int64]bool{}
	for _, label := range first {
		seen[label] = true
	}
	require.Len(t, seen, 100, "every image once")
	assert.Equal(t, first, order(t, newLoader(t, set, opts), 0))
	assert.NotEqual(t, first, order(t, newLoader(t, set, opts), 1))
	opts.Seed = 2
	assert.NotEqual(t, first, order(t, newLoader(t, set, opts), 0))
}

// The same image must be augmented anew in every epoch.
func TestLoaderAugmentsEveryEpochAnew(t *testing.T) {
	l := newLoader(t, noise(t, 4, 1, 16, 16), LoaderOptions{Batch: 4, Augment: fullAugment(1)})
	assert.NotEqual(t, drain(t, l, 0, 0)[0].Inputs[0], drain(t, l, 1, 0)[0].Inputs[0])
}

func TestNewLoaderRefuses(t *testing.T) {
	set := numbered(t, 3)
	for name, opts := range map[string]LoaderOptions{
		"no batch":          {},
		"negative workers":  {Batch: 1, Workers: -1},
		"negative prefetch": {Batch: 1, Prefetch: -1},
		"bad augment":       {Batch: 1, Augment: Augment{Pad: -1}},
		"no full batch":     {Batch: 4, DropLast: true},
	} {
		_, err := NewLoader(set, opts)
		assert.ErrorContains(t, err, "loader: ", name)
	}
	_, err := NewLoader(numbered(t, 0), LoaderOptions{Batch: 1})
	assert.ErrorContains(t, err, "0 images")
}

// Training augmentation of CIFAR: 32x32, crop padding 4, flip, cutout 16.
func BenchmarkLoaderCIFAR(b *testing.B) {
	mean, std, err := Normalization("cifar10")
	require.NoError(b, err)
	set := noise(b, 10_000, 3, 32, 32)
	for _, workers := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			l := newLoader(b, set, LoaderOptions{
				Batch: 50, Seed: 1, Workers: workers, Shuffle: true,
				Augment: Augment{CropPadding: 4, Flip: true, Cutout: 16, Mean: mean, Std: std},
			})
			b.ReportAllocs()
			images, epoch := 0, 0
			batches := l.Epoch(context.Background(), epoch, 0)
			for b.Loop() {
				batch, err := batches.Next()
				if err == io.EOF {
					epoch++
					batches = l.Epoch(context.Background(), epoch, 0)
					batch, err = batches.Next()
				}
				require.NoError(b, err)
				images += batch.N
				batch.Release()
			}
			batches.Close()
			b.ReportMetric(float64(images)/b.Elapsed().Seconds(), "images/s")
		})
	}
}

// A planned loader makes the same choices for the same images and leaves the rest
// to whoever applies them.
func TestPlannedLoader(t *testing.T) {
	set := noise(t, 23, 3, 6, 5)
	opts := LoaderOptions{Batch: 5, Seed: 3, Workers: 3, Shuffle: true, Augment: fullAugment(3)}
	whole := newLoader(t, set, opts)
	planned := whole.Planned()
	require.Same(t, whole.Examples(), planned.Examples())
	transform, err := opts.Augment.Compile(3, 6, 5)
	require.NoError(t, err)
	a, b := whole.Epoch(context.Background(), 2, 1), planned.Epoch(context.Background(), 2, 1)
	defer a.Close()
	defer b.Close()
	src := make([]byte, 3*6*5)
	for range whole.Batches() - 1 {
		want, err := a.Next()
		require.NoError(t, err)
		got, err := b.Next()
		require.NoError(t, err)
		assert.Nil(t, got.Inputs)
		assert.Equal(t, want.Labels, got.Labels)
		assert.Equal(t, want.Indices, got.Indices)
		assert.Equal(t, want.Choices, got.Choices)
		size := got.C * got.H * got.W
		dst := make([]float32, size)
		for k, index := range got.Indices {
			label, err := set.Image(int(index), src)
			require.NoError(t, err)
			assert.EqualValues(t, label, got.Labels[k])
			transform.ApplyChoices(dst, src, got.Choices[k])
			require.Equal(t, want.Inputs[0][k*size:(k+1)*size], dst)
		}
		want.Release()
		got.Release()
		assert.Nil(t, got.Indices)
	}
	_, err = b.Next()
	assert.Equal(t, io.EOF, err)
}
