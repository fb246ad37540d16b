package task

import (
	"context"
	"errors"
	"io"

	"github.com/spikedhs/spikedhs/torch"
)

// Loader serves batches.
type Loader interface {
	// Batches is the number of batches of an epoch, Size that of examples in a full one.
	Batches() int
	Size() int
	// Epoch begins an epoch at one of its batches.
	Epoch(ctx context.Context, epoch, first int) Batches
	// Tensors makes what a model takes of an uploaded batch of n examples, on the device
	// alone.
	Tensors(s *torch.Scope, uploaded []torch.Tensor, n int) Tensors
	// Warn tells of examples that could not be read so far.
	Warn()
	// Close frees what is kept on the device.
	Close() error
}

// Batches are the batches of an epoch, in order.
type Batches interface {
	// Next waits for the next batch; io.EOF behind the last.
	Next() (*Batch, error)
	Close()
}

// source is a batch of a task's own loader.
type source interface{ Release() }

// sources are the batches of an epoch as such a loader gives them.
type sources[B source] interface {
	Next() (B, error)
	Close()
}

// NewBatches makes batches of those of a task's own loader.
func NewBatches[B source, E sources[B]](of E, convert func(B) *Batch) Batches {
	return converted[B, E]{of, convert}
}

type converted[B source, E sources[B]] struct {
	of      E
	convert func(B) *Batch
}

func (c converted[B, E]) Next() (*Batch, error) {
	source, err := c.of.Next()
	if err != nil {
		return nil, err
	}
	b := c.convert(source)
	b.Source, b.release = source, source.Release
	return b, nil
}

func (c converted[B, E]) Close() { c.of.Close() }

// Each calls use with the batches of an epoch on a device, from one on, as long as it
// wants more, and frees them.
func Each(ctx context.Context, l Loader, d torch.Device, epoch, first int, use func(s *torch.Scope, b *Batch, x Tensors) (more bool, err error)) error {
	batches := l.Epoch(ctx, epoch, first)
	defer batches.Close()
	for {
		b, err := batches.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s, more := torch.NewInference(), false
		x := l.Tensors(s, b.Upload(s, d), b.N)
		if err = s.Err(); err == nil {
			more, err = use(s, b, x)
		}
		b.Release()
		if failed := s.Close(); failed != nil {
			err = failed // the cause of what use saw
		}
		if err != nil || !more {
			return err
		}
	}
}
