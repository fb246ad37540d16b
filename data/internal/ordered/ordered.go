// Package ordered makes values on several goroutines and hands them out in order:
// batches of images, windows of recordings, steps of a stream.
package ordered

import (
	"context"
	"io"
	"runtime"
	"slices"
	"sync"
)

// Work says how the values of type T are made.
type Work[T any] struct {
	// First and End: the values are number First to End-1.
	First, End int
	// Workers is the number of goroutines, Ahead how many values are asked for before
	// they are wanted, Parts how many pieces of each the workers take. At least 1 each.
	Workers, Ahead, Parts int
	// Begin makes an empty value; the first worker at it calls it.
	Begin func(number int) T
	// Worker returns what one goroutine calls for each part, with memory of its own. Parts
	// of one value are made at the same time. Of several errors of a value that of the
	// first part counts.
	Worker func(ctx context.Context) func(value T, number, part int) error
	// Drop takes what was made and not handed out. Default: nothing.
	Drop func(T)
	// Closed is the error of Next after Close.
	Closed error
}

// Values are handed out by Next. One goroutine at a time may call its methods.
type Values[T any] struct {
	do      Work[T]
	ctx     context.Context
	cancel  context.CancelFunc
	next    int // not asked for yet
	work    chan task[T]
	pending []*job[T] // asked for and not handed out, oldest first
	workers sync.WaitGroup
	err     error // what Next keeps returning
}

// job is one value that the workers have been asked for.
type job[T any] struct {
	number int
	done   chan struct{} // closed when it is made, or has failed

	begin  sync.Once
	value  T
	mu     sync.Mutex // of what follows
	left   int        // parts that are not finished
	err    error
	failed int // part that err is of
}

// task is a part of a value, which one worker makes.
type task[T any] struct {
	job  *job[T]
	part int
}

// Start starts the goroutines. They end when Next has returned an error, io.EOF
// included, when ctx ends, and when Close is called.
func Start[T any](ctx context.Context, do Work[T]) *Values[T] {
	ctx, cancel := context.WithCancel(ctx)
	v := &Values[T]{do: do, ctx: ctx, cancel: cancel, next: do.First, work: make(chan task[T], do.Ahead*do.Parts)}
	for range min(do.Workers, (do.End-do.First)*do.Parts) {
		v.workers.Add(1)
		go v.run()
	}
	v.submit()
	return v
}

// Failed are no values but an error.
func Failed[T any](err error) *Values[T] {
	v := Start(context.Background(), Work[T]{})
	_ = v.fail(err)
	return v
}

// Next waits for the next value, io.EOF behind the last. When the context ends it
// returns the context's error, when a value cannot be made that error; from then on
// always the same.
func (v *Values[T]) Next() (value T, err error) {
	if v.err == nil {
		_ = v.fail(v.ctx.Err())
	}
	if v.err != nil {
		return value, v.err
	}
	if len(v.pending) == 0 {
		return value, v.fail(io.EOF)
	}
	oldest := v.pending[0]
	select {
	case <-oldest.done:
	case <-v.ctx.Done():
		return value, v.fail(v.ctx.Err())
	}
	v.pending = slices.Delete(v.pending, 0, 1)
	if oldest.err != nil {
		v.drop(oldest)
		return value, v.fail(oldest.err)
	}
	v.submit()
	return oldest.value, nil
}

// Close stops the workers, waits until they have ended, and drops what was made but not
// asked for. Calling it again, or after the end, does no harm.
func (v *Values[T]) Close() {
	if v.err == nil {
		_ = v.fail(v.do.Closed)
	}
	v.cancel()
	v.workers.Wait()
	for _, j := range v.pending {
		v.drop(j)
	}
	v.pending = nil
}

// drop takes a value back, if it was begun and nobody is at it any more.
func (v *Values[T]) drop(j *job[T]) {
	begun := true
	j.begin.Do(func() { begun = false })
	if begun && v.do.Drop != nil {
		v.do.Drop(j.value)
	}
}

// fail makes err the end, when it is not nil, and lets the workers go.
func (v *Values[T]) fail(err error) error {
	if err != nil {
		v.err = err
		v.cancel()
	}
	return err
}

// submit asks for values until Ahead of them are pending. The work channel holds the
// parts of as many, so it never blocks.
func (v *Values[T]) submit() {
	for len(v.pending) < v.do.Ahead && v.next < v.do.End {
		j := &job[T]{number: v.next, done: make(chan struct{}), left: v.do.Parts}
		v.next++
		v.pending = append(v.pending, j)
		for part := range v.do.Parts {
			v.work <- task[T]{j, part}
		}
	}
}

// run is one worker.
func (v *Values[T]) run() {
	defer v.workers.Done()
	do := v.do.Worker(v.ctx)
	for {
		select {
		case <-v.ctx.Done():
			return
		case t := <-v.work:
			j := t.job
			j.begin.Do(func() { j.value = v.do.Begin(j.number) })
			j.finish(t.part, do(j.value, j.number, t.part))
		}
	}
}

// finish ends a part; who ends the last hands the value out.
func (j *job[T]) finish(part int, err error) {
	j.mu.Lock()
	if err != nil && (j.err == nil || part < j.failed) {
		j.err, j.failed = err, part
	}
	j.left--
	last := j.left == 0
	j.mu.Unlock()
	if last {
		close(j.done)
	}
}

// Each calls with each of 0..n-1 what worker returns for one of several goroutines (below
// 1: one for each core), and after each, in their order, done, which may be nil. It ends
// with the first error or with that of ctx, when all goroutines have ended.
func Each(ctx context.Context, n, workers int, worker func(ctx context.Context) func(i int) error, done func()) error {
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	values := Start(ctx, Work[int]{
		End: n, Workers: workers, Ahead: 4 * workers, Parts: 1,
		Begin: func(i int) int { return i },
		Worker: func(ctx context.Context) func(int, int, int) error {
			do := worker(ctx)
			return func(i, _, _ int) error { return do(i) }
		},
	})
	defer values.Close()
	for {
		switch _, err := values.Next(); {
		case err == io.EOF:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return err
		}
		if done != nil {
			done()
		}
	}
}

// Pool keeps values that nobody uses, at most as many as its capacity.
type Pool[T any] chan T

// Take gives a value that was used before, or a new one.
func (p Pool[T]) Take(made func() T) T {
	select {
	case value := <-p:
		return value
	default:
		return made()
	}
}

// Give hands a value back; one too many is left to the garbage collector.
func (p Pool[T]) Give(value T) {
	select {
	case p <- value:
	default:
	}
}
