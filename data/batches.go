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

	begin  sync.Once // buffer is taken by the first worker
	buffer buffer
	mu     sync.Mutex // of what follows
	left   int        // parts that are not finished
	err    error
	failed int // part that err is of
}

// task is a part of a batch, which one worker prepares.
type task struct {
	job  *job
	part int
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
	work      chan task
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
// holds the parts of as many, so it never blocks.
func (b *Batches) submit() {
	for len(b.pending) < b.loader.opts.Prefetch && b.next < b.end {
		j := &job{index: b.next, done: make(chan struct{}), left: b.loader.parts}
		b.next++
		b.pending = append(b.pending, j)
		for part := range b.loader.parts {
			b.work <- task{j, part}
		}
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
		case t := <-b.work:
			b.build(t, pixels, rng)
		}
	}
}

// build prepares one part of a batch; who finishes last hands the batch out. pixels
// and rng are the worker's own.
func (b *Batches) build(t task, pixels []byte, rng *rand.PCG) {
	j, l := t.job, b.loader
	n := min(l.opts.Batch, l.set.Len()-j.index*l.opts.Batch)
	j.begin.Do(func() { j.buffer = l.take() })
	err := b.fill(j, t.part*n/l.parts, (t.part+1)*n/l.parts, pixels, rng)
	j.mu.Lock()
	if err != nil && (j.err == nil || t.part < j.failed) {
		// Of several errors that of the first image counts, whoever came first.
		j.err, j.failed = err, t.part
	}
	j.left--
	last := j.left == 0
	j.mu.Unlock()
	if !last {
		return
	}
	if j.err == nil {
		j.batch = l.batch(j, n, b.epoch)
	}
	close(j.done)
}

// fill prepares images first..last-1 of a batch.
func (b *Batches) fill(j *job, first, last int, pixels []byte, rng *rand.PCG) error {
	l, buf := b.loader, j.buffer
	c, h, w := l.Shape()
	size := c * h * w
	for k := first; k < last; k++ {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		i := j.index*l.opts.Batch + k
		if b.order != nil {
			i = b.order[i]
		}
		label, err := b.read(i, pixels, rng)
		if err != nil {
			return fmt.Errorf("loader: epoch %d, batch %d: %w", b.epoch, j.index, err)
		}
		seedStream(rng, l.opts.Seed, forImage, b.epoch, i)
		choice := l.transform.Choose(rng)
		if !l.opts.Plan {
			l.transform.ApplyChoices(buf.images[k*size:(k+1)*size], pixels, choice)
		}
		buf.labels[k], buf.indices[k], buf.choices[k] = int64(label), int64(i), choice
	}
	return nil
}

// read gets the pixels of image i: as they are stored, or a random part of a picture.
func (b *Batches) read(i int, pixels []byte, rng *rand.PCG) (label int, err error) {
	l := b.loader
	crop := l.opts.Augment.Resized
	if crop == (ResizedCrop{}) {
		return l.set.Image(i, pixels)
	}
	seedStream(rng, l.opts.Seed, forCrop, b.epoch, i)
	return l.crops.Crop(i, crop, rng, pixels)
}

// batch is what the workers have made of a job of n images.
func (l *Loader) batch(j *job, n, epoch int) *Batch {
	c, h, w := l.Shape()
	buf := j.buffer
	batch := &Batch{
		Labels: buf.labels[:n], Indices: buf.indices[:n], Choices: buf.choices[:n],
		N: n, C: c, H: h, W: w, Epoch: epoch, Index: j.index,
		loader: l, buffer: buf,
	}
	if !l.opts.Plan {
		batch.Images = buf.images[:n*c*h*w]
	}
	return batch
}
