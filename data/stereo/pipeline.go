package stereo

import (
	"context"
	"io"
	"sync"
)

// pipeline makes values number first..end-1 in several goroutines and hands them out
// in order.
type pipeline[T any] struct {
	ctx     context.Context
	cancel  context.CancelFunc
	pending chan chan outcome[T]
	workers sync.WaitGroup
	err     error
}

type outcome[T any] struct {
	value T
	err   error
}

type pipelineJob[T any] struct {
	number int
	out    chan outcome[T]
}

// newPipeline starts workers goroutines that work at most ahead values before the
// caller. produce must be safe for concurrent use.
func newPipeline[T any](ctx context.Context, first, end, workers, ahead int, produce func(ctx context.Context, number int) (T, error)) *pipeline[T] {
	ctx, cancel := context.WithCancel(ctx)
	p := &pipeline[T]{ctx: ctx, cancel: cancel, pending: make(chan chan outcome[T], max(1, ahead))}
	jobs := make(chan pipelineJob[T])
	p.workers.Add(1)
	go func() {
		defer p.workers.Done()
		defer close(jobs)
		defer close(p.pending)
		for i := first; i < end; i++ {
			job := pipelineJob[T]{i, make(chan outcome[T], 1)}
			select {
			case p.pending <- job.out:
			case <-ctx.Done():
				return
			}
			select {
			case jobs <- job:
			case <-ctx.Done():
				return
			}
		}
	}()
	for range max(1, min(workers, end-first)) {
		p.workers.Add(1)
		go func() {
			defer p.workers.Done()
			for job := range jobs {
				v, err := produce(ctx, job.number)
				job.out <- outcome[T]{v, err}
			}
		}()
	}
	return p
}

// next is the next value, io.EOF behind the last. After an error it keeps returning
// that error.
func (p *pipeline[T]) next() (T, error) {
	var none T
	if p.err != nil {
		return none, p.err
	}
	if err := p.ctx.Err(); err != nil {
		return none, p.fail(err)
	}
	var out chan outcome[T]
	var more bool
	select {
	case out, more = <-p.pending:
	case <-p.ctx.Done():
		return none, p.fail(p.ctx.Err())
	}
	if !more {
		if err := p.ctx.Err(); err != nil {
			return none, p.fail(err)
		}
		return none, p.fail(io.EOF)
	}
	select {
	case o := <-out:
		if o.err != nil {
			return none, p.fail(o.err)
		}
		return o.value, nil
	case <-p.ctx.Done():
		return none, p.fail(p.ctx.Err())
	}
}

func (p *pipeline[T]) fail(err error) error {
	if p.err == nil {
		p.err = err
	}
	p.close()
	return p.err
}

// close ends the goroutines and waits for them.
func (p *pipeline[T]) close() {
	p.cancel()
	p.workers.Wait()
}
