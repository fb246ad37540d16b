package train

import (
	"context"
	"errors"
	"io"

	"github.com/spikedhs/spikedhs/torch"
)

// work is what a loop does: the batches of every epoch, and a step on each. Images
// and stereo recordings have loaders and batches of their own; the loop knows
// neither.
type work interface {
	// batches is the number of batches of an epoch.
	batches() int
	// epoch begins an epoch at one of its batches.
	epoch(ctx context.Context, epoch, first int) turns
}

// turns are the batches of an epoch, in order.
type turns interface {
	// next waits for the next batch; io.EOF behind the last.
	next() (turn, error)
	close()
}

// turn is one batch: the step on it, and the way to give its memory back.
type turn struct {
	step    func(s *torch.Scope) error
	release func()
}

// batchOf is a batch of a loader.
type batchOf interface{ Release() }

// batchesOf are the batches of an epoch as a loader gives them.
type batchesOf[B batchOf] interface {
	Next() (B, error)
	Close()
}

// loaderOf is what the loaders of images and of stereo recordings have in common.
type loaderOf[B batchOf, E batchesOf[B]] interface {
	Batches() int
	Epoch(ctx context.Context, epoch, first int) E
}

// stepsOf does a step on each batch of a loader.
type stepsOf[B batchOf, E batchesOf[B]] struct {
	loader loaderOf[B, E]
	step   func(s *torch.Scope, b B) error
}

// newWork makes a step on each batch of a loader the work of a loop.
func newWork[B batchOf, E batchesOf[B]](l loaderOf[B, E], step func(s *torch.Scope, b B) error) work {
	return stepsOf[B, E]{l, step}
}

func (w stepsOf[B, E]) batches() int { return w.loader.Batches() }

func (w stepsOf[B, E]) epoch(ctx context.Context, epoch, first int) turns {
	return turnsOf[B, E]{w.loader.Epoch(ctx, epoch, first), w.step}
}

type turnsOf[B batchOf, E batchesOf[B]] struct {
	batches E
	step    func(s *torch.Scope, b B) error
}

func (t turnsOf[B, E]) next() (turn, error) {
	b, err := t.batches.Next()
	if err != nil {
		return turn{}, err
	}
	return turn{func(s *torch.Scope) error { return t.step(s, b) }, b.Release}, nil
}

func (t turnsOf[B, E]) close() { t.batches.Close() }

// eachBatch calls use with the batches of an epoch, from one on, as long as it wants
// more, and frees them.
func eachBatch[B batchOf, E batchesOf[B]](ctx context.Context, l loaderOf[B, E], epoch, first int, use func(s *torch.Scope, b B) (more bool, err error)) error {
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
		s := torch.NewInference()
		more, err := use(s, b)
		b.Release()
		if err = errors.Join(err, s.Close()); err != nil || !more {
			return err
		}
	}
}
