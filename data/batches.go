package data

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/spikedhs/spikedhs/data/internal/ordered"
	"github.com/spikedhs/spikedhs/data/internal/random"
)

// Batches are the batches of one epoch in order. One goroutine at a time may
// call its methods.
type Batches struct{ values *ordered.Values[*Batch] }

// Next waits for the next batch. After the last one it returns [io.EOF]. When
// the context ends it returns the context's error, when an image cannot be read
// that error, and after Close [ErrClosed]; from then on always the same.
func (b *Batches) Next() (*Batch, error) { return b.values.Next() }

// Close stops the workers, waits until they have ended, and recycles the
// batches that were prepared but not asked for. Calling it again, or after the
// end, does no harm.
func (b *Batches) Close() { b.values.Close() }

// begin is batch k of an epoch, still empty.
func (l *Loader) begin(epoch, k int) *Batch {
	n := min(l.opts.Batch, l.set.Len()-k*l.opts.Batch)
	c, h, w := l.Shape()
	buf := l.free.Take(l.buffer)
	b := &Batch{
		Labels: buf.labels[:n], Indices: buf.indices[:n], Choices: buf.choices[:n],
		N: n, C: c, H: h, W: w, Epoch: epoch, Index: k, loader: l, buffer: buf,
	}
	if !l.opts.Plan {
		b.Images = buf.images[:n*c*h*w]
	}
	return b
}

// fill prepares images first..last-1 of a batch. pixels and rng are the worker's own.
func (l *Loader) fill(ctx context.Context, b *Batch, order []int, first, last int, pixels []byte, rng *rand.PCG) error {
	size := b.C * b.H * b.W
	for k := first; k < last; k++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		i := b.Index*l.opts.Batch + k
		if order != nil {
			i = order[i]
		}
		label, err := l.read(b.Epoch, i, pixels, rng)
		if err != nil {
			return fmt.Errorf("loader: epoch %d, batch %d: %w", b.Epoch, b.Index, err)
		}
		random.Seed(rng, l.opts.Seed, random.Item, b.Epoch, i)
		choice := l.transform.Choose(rng)
		if !l.opts.Plan {
			l.transform.ApplyChoices(b.Images[k*size:(k+1)*size], pixels, choice)
		}
		b.Labels[k], b.Indices[k], b.Choices[k] = int64(label), int64(i), choice
	}
	return nil
}

// read gets the pixels of image i: as they are stored, or a random part of a picture.
func (l *Loader) read(epoch, i int, pixels []byte, rng *rand.PCG) (label int, err error) {
	crop := l.opts.Augment.Resized
	if crop == (ResizedCrop{}) {
		return l.set.Image(i, pixels)
	}
	random.Seed(rng, l.opts.Seed, random.Crop, epoch, i)
	return l.crops.Crop(i, crop, rng, pixels)
}
