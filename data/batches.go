package data

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
)

// job is one batch that the workers have been asked for.
type job struct {
	index int
	done  chan struct{} // closed when batch or err is set
	batch *Batch
	err   error
}

// Batches are the batches of one epoch in order. One goroutine at a time may
// call its methods.
type Batches struct {
	loader    *Loader
	ctx       context.Context
	cancel    context.CancelFunc
	epoch     int
	order     []int // nil: the order of the set
	next, end int   // batches not yet submitted
	work      chan *job
	pending   []*job // submitted and not yet handed out, oldest first
	workers   sync.WaitGroup
	err       error // what Next keeps returning
}

// Next waits for the next batch. After the last one it returns [io.EOF]. When
// the context ends it returns the context's error, when an image cannot be read
// that error, and after Close [ErrClosed]; from then on always the same.
func (b *Batches) Next() (*Batch, error) {
	if b.err == nil {
		b.fail(b.ctx.Err())
	}
	if b.err != nil {
		return nil, b.err
	}
	if len(b.pending) == 0 {
		return nil, b.fail(io.EOF)
	}
	oldest := b.pending[0]
	select {
	case <-oldest.done:
	case <-b.ctx.Done():
		return nil, b.fail(b.ctx.Err())
	}
	b.pending = slices.Delete(b.pending, 0, 1)
	if oldest.err != nil {
		return nil, b.fail(oldest.err)
	}
	b.submit()
	return oldest.batch, nil
}

// Close stops the workers, waits until they have ended, and recycles the
// batches that were prepared but not asked for. Calling it again, or after the
// end, does no harm.
func (b *Batches) Close() {
	if b.err == nil {
		b.fail(ErrClosed)
	}
	b.workers.Wait()
	for _, j := range b.pending {
		if j.batch != nil {
			j.batch.Release()
		}
	}
	b.pending = nil
}

// fail makes err the end of the epoch, when it is not nil, and lets the workers go.
func (b *Batches) fail(err error) error {
	if err != nil {
		b.err = err
		b.cancel()
	}
	return err
}

// submit asks for batches until Prefetch of them are pending. The work channel
// holds as many, so it never blocks.
func (b *Batches) submit() {
	for len(b.pending) < b.loader.opts.Prefetch && b.next < b.end {
		j := &job{index: b.next, done: make(chan struct{})}
		b.next++
		b.pending = append(b.pending, j)
		b.work <- j
	}
}

// run is one worker.
func (b *Batches) run() {
	defer b.workers.Done()
	c, h, w := b.loader.set.Shape()
	pixels, rng := make([]byte, c*h*w), new(rand.PCG)
	for {
		select {
		case <-b.ctx.Done():
			return
		case j := <-b.work:
			j.batch, j.err = b.build(j.index, pixels, rng)
			close(j.done)
		}
	}
}

// build prepares one batch. pixels and rng are the worker's own.
func (b *Batches) build(index int, pixels []byte, rng *rand.PCG) (*Batch, error) {
	l := b.loader
	from := index * l.opts.Batch
	n := min(l.opts.Batch, l.set.Len()-from)
	c, h, w := l.Shape()
	size := c * h * w
	buf := l.take()
	for k := range n {
		if err := b.ctx.Err(); err != nil {
			return nil, err
		}
		i := from + k
		if b.order != nil {
			i = b.order[i]
		}
		label, err := l.set.Image(i, pixels)
		if err != nil {
			return nil, fmt.Errorf("loader: epoch %d, batch %d: %w", b.epoch, index, err)
		}
		seedStream(rng, l.opts.Seed, forImage, b.epoch, i)
		choice := l.transform.Choose(rng)
		if !l.opts.Plan {
			l.transform.ApplyChoices(buf.images[k*size:(k+1)*size], pixels, choice)
		}
		buf.labels[k], buf.indices[k], buf.choices[k] = int64(label), int64(i), choice
	}
	batch := &Batch{
		Labels: buf.labels[:n], Indices: buf.indices[:n], Choices: buf.choices[:n],
		N: n, C: c, H: h, W: w, Epoch: b.epoch, Index: index,
		loader: l, buffer: buf,
	}
	if !l.opts.Plan {
		batch.Images = buf.images[:n*size]
	}
	return batch, nil
}
