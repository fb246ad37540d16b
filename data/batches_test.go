package data

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// requireNoExtraGoroutines waits until no more goroutines run than before.
func requireNoExtraGoroutines(t *testing.T, before int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			require.FailNow(t, "goroutines are left", string(stacks[:runtime.Stack(stacks, true)]))
		}
		time.Sleep(time.Millisecond)
	}
}

func TestCloseLeavesNoGoroutines(t *testing.T) {
	l := newLoader(t, noise(t, 100, 1, 8, 8), LoaderOptions{Batch: 5, Workers: 4})
	before := runtime.NumGoroutine()
	for read := range l.Batches() + 1 {
		b := l.Epoch(context.Background(), 0, 0)
		for range read {
			_, err := b.Next()
			require.NoError(t, err)
		}
		b.Close()
		b.Close()
		_, err := b.Next()
		require.ErrorIs(t, err, ErrClosed)
	}
	requireNoExtraGoroutines(t, before)
}

func TestEndLeavesNoGoroutinesWithoutClose(t *testing.T) {
	l := newLoader(t, noise(t, 100, 1, 8, 8), LoaderOptions{Batch: 5, Workers: 4})
	before := runtime.NumGoroutine()
	b := l.Epoch(context.Background(), 0, 0)
	for {
		_, err := b.Next()
		if err != nil {
			require.Equal(t, io.EOF, err)
			break
		}
	}
	_, err := b.Next()
	require.Equal(t, io.EOF, err, "the end stays the end")
	requireNoExtraGoroutines(t, before)
	b.Close()
	_, err = b.Next()
	require.Equal(t, io.EOF, err)
}

func TestCancelledContextEndsTheEpoch(t *testing.T) {
	l := newLoader(t, noise(t, 100, 1, 8, 8), LoaderOptions{Batch: 5, Workers: 4})
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	b := l.Epoch(ctx, 0, 0)
	_, err := b.Next()
	require.NoError(t, err)
	cancel()
	for range 2 {
		_, err = b.Next()
		require.ErrorIs(t, err, context.Canceled)
	}
	requireNoExtraGoroutines(t, before) // even without Close
	b.Close()
}

// gate is a set whose images wait until it is opened.
type gate struct {
	Dataset
	open chan struct{}
}

func (g gate) Image(i int, dst []byte) (int, error) {
	<-g.open
	return g.Dataset.Image(i, dst)
}

// Next must not hang on a slow image when its context ends; Close has to wait
// for it, since the set may go away afterwards.
func TestCancelWhileWaiting(t *testing.T) {
	slow := gate{numbered(t, 20), make(chan struct{})}
	l := newLoader(t, slow, LoaderOptions{Batch: 5, Workers: 2})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	b := l.Epoch(ctx, 0, 0)
	_, err := b.Next()
	require.ErrorIs(t, err, context.DeadlineExceeded)

	closed := make(chan struct{})
	go func() {
		b.Close()
		close(closed)
	}()
	select {
	case <-closed:
		require.Fail(t, "Close did not wait for the workers")
	case <-time.After(20 * time.Millisecond):
	}
	close(slow.open)
	<-closed
}

var errBroken = errors.New("broken image")

// cracked is a set one of whose images cannot be read.
type cracked struct {
	Dataset
	at int
}

func (c cracked) Image(i int, dst []byte) (int, error) {
	if i == c.at {
		return 0, errBroken
	}
	return c.Dataset.Image(i, dst)
}

func TestReadErrorArrivesInOrder(t *testing.T) {
	before := runtime.NumGoroutine()
	l := newLoader(t, cracked{numbered(t, 20), 12}, LoaderOptions{Batch: 5, Workers: 3})
	b := l.Epoch(context.Background(), 1, 0)
	for range 2 {
		_, err := b.Next()
		require.NoError(t, err)
	}
	for range 2 {
		_, err := b.Next()
		requireOneLine(t, err, errBroken, "epoch 1, batch 2")
	}
	requireNoExtraGoroutines(t, before)
	b.Close()
}

func TestEpochOutOfRange(t *testing.T) {
	l := newLoader(t, numbered(t, 10), LoaderOptions{Batch: 5})
	for _, bad := range [][2]int{{-1, 0}, {0, -1}, {0, 3}} {
		b := l.Epoch(context.Background(), bad[0], bad[1])
		_, err := b.Next()
		assert.ErrorContains(t, err, "an epoch has 2 batches")
		b.Close()
	}
}

func TestReleaseRecycles(t *testing.T) {
	l := newLoader(t, noise(t, 64, 1, 8, 8), LoaderOptions{Batch: 4, Workers: 2, Prefetch: 2})
	buffers := map[*float32]bool{}
	for epoch := range 4 {
		b := l.Epoch(context.Background(), epoch, 0)
		for {
			batch, err := b.Next()
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			buffers[&batch.Inputs[0][0]] = true
			batch.Release()
			require.Nil(t, batch.Inputs)
			require.Nil(t, batch.Labels)
		}
		b.Close()
	}
	assert.LessOrEqual(t, len(buffers), 4, "64 batches out of a few buffers")
}

// One buffer handed back twice would be filled by two workers at once.
func TestSecondReleaseDoesNothing(t *testing.T) {
	l := newLoader(t, numbered(t, 10), LoaderOptions{Batch: 4})
	batch := &Batch{loader: l, memory: l.free.Take(l.buffer)}
	batch.Release()
	batch.Release()
	assert.NotSame(t, &l.free.Take(l.buffer).inputs[0][0], &l.free.Take(l.buffer).inputs[0][0])
}

// A batch that was not released must keep its values.
func TestUnreleasedBatchesAreNotOverwritten(t *testing.T) {
	l := newLoader(t, noise(t, 64, 1, 8, 8), LoaderOptions{Batch: 4, Workers: 2, Prefetch: 2})
	want := drain(t, l, 0, 0)
	b := l.Epoch(context.Background(), 0, 0)
	defer b.Close()
	var kept []*Batch
	for range want {
		batch, err := b.Next()
		require.NoError(t, err)
		kept = append(kept, batch)
	}
	for k, batch := range kept {
		require.Equal(t, want[k].Inputs[0], batch.Inputs[0])
		require.Equal(t, want[k].Labels, batch.Labels)
	}
}
