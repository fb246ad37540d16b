package data

import (
	"cmp"
	"context"
	"fmt"
	"runtime"

	"github.com/spikedhs/spikedhs/data/internal/ordered"
	"github.com/spikedhs/spikedhs/data/internal/random"
)

// LoaderOptions configure a [Loader]. Only Batch has no default.
type LoaderOptions struct {
	// Batch is the number of examples of a batch, at least 1.
	Batch int
	// Seed decides the order and the augmentation of every epoch.
	Seed uint64
	// Workers is the number of goroutines that prepare batches. Default: one for each CPU
	// that Go may use, at most 4 for images that are in memory, at most 8 for recordings of
	// two cameras. It has no influence on what a batch holds.
	Workers int
	// Prefetch is the number of batches prepared ahead of the caller. Default: 2 for each
	// worker.
	Prefetch int
	// Shuffle draws a new order for every epoch. Default: the order of the set.
	Shuffle bool
	// DropLast leaves out the last batch where it is not full.
	DropLast bool
	// Augment turns stored images into network inputs; other examples have no use for it.
	Augment Augment
}

// Loader cuts [Examples] into float32 batches, prepared in the background.
//
// The order of an epoch is a function of (Seed, epoch), and the random choices
// for an example one of (Seed, epoch, its index in the set). So batch k of epoch e
// is the same, bit for bit, for any number of workers and wherever the epoch
// was entered.
type Loader struct {
	of    Examples
	opts  LoaderOptions
	plan  bool
	parts int // pieces of a batch that workers take
	free  ordered.Pool[buffer]
}

// NewLoader makes a Loader over the images of a set. It fails on an empty set, on options
// out of range and on an Augment that does not fit the images.
func NewLoader(set Dataset, opts LoaderOptions) (*Loader, error) {
	of, err := newImages(set, opts.Augment)
	if err != nil {
		return nil, err
	}
	if opts.Workers == 0 && of.crops == nil {
		opts.Workers = min(4, runtime.GOMAXPROCS(0))
	}
	l, err := LoaderOf(of, opts)
	if err == nil && of.crops != nil {
		// Decoding takes much longer than a look into memory: all workers share a batch.
		l.parts = min(l.opts.Workers, opts.Batch)
	}
	return l, err
}

// LoaderOf makes a Loader over examples. It fails where there are too few for a batch and
// on options out of range.
func LoaderOf(of Examples, opts LoaderOptions) (*Loader, error) {
	if opts.Batch < 1 || opts.Workers < 0 || opts.Prefetch < 0 {
		return nil, fmt.Errorf("loader: batch %d, workers %d, prefetch %d; want at least 1, 0 and 0",
			opts.Batch, opts.Workers, opts.Prefetch)
	}
	opts.Workers = cmp.Or(opts.Workers, runtime.GOMAXPROCS(0))
	opts.Prefetch = cmp.Or(opts.Prefetch, 2*opts.Workers)
	l := &Loader{of: of, opts: opts, parts: 1}
	if l.Batches() == 0 {
		return nil, fmt.Errorf("loader: %s: %d %s make no batch of %d; give more or take a smaller batch",
			of.Name(), of.Len(), of.Noun(), opts.Batch)
	}
	l.opts.Prefetch = min(opts.Prefetch, l.Batches())
	l.free = make(ordered.Pool[buffer], l.opts.Prefetch+1)
	return l, nil
}

// Batches is the number of batches of one epoch.
func (l *Loader) Batches() int {
	if l.opts.DropLast {
		return l.of.Len() / l.opts.Batch
	}
	return (l.of.Len() + l.opts.Batch - 1) / l.opts.Batch
}

// Size is the number of examples of a full batch.
func (l *Loader) Size() int { return min(l.opts.Batch, l.of.Len()) }

// Examples are what l serves.
func (l *Loader) Examples() Examples { return l.of }

// Planned is a loader of the same batches without inputs and truth, for a caller that
// keeps what is [Stored] on its device and applies the choices there.
func (l *Loader) Planned() *Loader {
	return &Loader{of: l.of, opts: l.opts, plan: true, parts: l.parts, free: make(ordered.Pool[buffer], cap(l.free))}
}

// Epoch starts the workers on one pass over the set and returns its batches,
// from number firstBatch on; 0 is a whole epoch, [Loader.Batches] an empty rest.
// The first epoch is number 0. The workers end when Next has returned
// an error, io.EOF included, when ctx ends, and when Close is called. An
// epoch or a firstBatch out of range is reported by Next.
func (l *Loader) Epoch(ctx context.Context, epoch, firstBatch int) *Batches {
	if epoch < 0 || firstBatch < 0 || firstBatch > l.Batches() {
		return ordered.Failed[*Batch](fmt.Errorf("loader: %s has no epoch %d, batch %d; an epoch has %d batches",
			l.of.Name(), epoch, firstBatch, l.Batches()))
	}
	var order []int // nil: that of the set
	if l.opts.Shuffle {
		order = random.Permutation(l.of.Len(), l.opts.Seed, random.Order, epoch)
	}
	return ordered.Start(ctx, ordered.Work[*Batch]{
		First: firstBatch, End: l.Batches(), Workers: l.opts.Workers, Ahead: l.opts.Prefetch, Parts: l.parts,
		Begin: func(k int) *Batch { return l.begin(epoch, k) },
		Worker: func(ctx context.Context) func(*Batch, int, int) error {
			read := l.of.Reader(l.opts.Seed)
			return func(b *Batch, _, part int) error {
				for k := part * b.N / l.parts; k < (part+1)*b.N/l.parts; k++ {
					i := b.Index*l.opts.Batch + k
					if order != nil {
						i = order[i]
					}
					b.Indices[k] = int64(i)
					if err := ctx.Err(); err != nil {
						return err
					}
					if err := read(ctx, b, k, i); err != nil {
						return fmt.Errorf("loader: epoch %d, batch %d: %w", b.Epoch, b.Index, err)
					}
				}
				return nil
			}
		},
		Drop: (*Batch).Release, Closed: ErrClosed,
	})
}

// begin is batch k of an epoch, still empty.
func (l *Loader) begin(epoch, k int) *Batch {
	n := min(l.opts.Batch, l.of.Len()-k*l.opts.Batch)
	r := l.free.Take(l.buffer)
	b := &Batch{Indices: r.indices[:n], Choices: r.choices[:n], Sizes: l.of.Sizes(), N: n, Epoch: epoch, Index: k, loader: l, memory: r}
	if r.labels != nil {
		b.Labels = r.labels[:n]
	}
	if r.truth != nil {
		b.Truth = r.truth[:b.T*n*b.H*b.W]
	}
	for _, input := range r.inputs {
		b.Inputs = append(b.Inputs, input[:b.Pixels(n)])
	}
	return b
}

// buffer makes memory for one full batch.
func (l *Loader) buffer() buffer {
	n, s := l.Size(), l.of.Sizes()
	r := buffer{indices: make([]int64, n), choices: make([]Choices, n)}
	if !l.of.Mapped() {
		r.labels = make([]int64, n)
	}
	if l.plan {
		return r
	}
	if l.of.Mapped() {
		r.truth = make([]float32, s.T*n*s.H*s.W)
	}
	for range l.of.Inputs() {
		r.inputs = append(r.inputs, make([]float32, s.Pixels(n)))
	}
	return r
}

// Batch is a stretch of one epoch as a network takes it: N examples of T time steps.
type Batch struct {
	// Inputs are what the network reads, each [T*N, C, H, W] with time slowest: step t of
	// example n is row t*N+n. Images are one input with T = 1; nil where [Loader.Planned]
	// leaves them to the caller.
	Inputs [][]float32
	// Labels are the class indices of N images.
	Labels []int64
	// Truth are numbers for each pixel, [T*N, H, W], of examples that have no class; nil
	// where [Loader.Planned] leaves them to the caller.
	Truth []float32
	// Indices tell which examples of the set these are, and Choices how each is cut and
	// augmented.
	Indices []int64
	Choices []Choices
	Sizes
	// N is below the batch size only in the last batch of an epoch.
	N int
	// Epoch and Index tell which batch of which epoch this is, both from 0.
	Epoch, Index int

	loader *Loader
	memory buffer
}

// Sizes are what every example looks like in a batch.
type Sizes struct {
	// T is the number of time steps; C, H and W are the sizes of each.
	T, C, H, W int
}

// Pixels is the number of values in one input of n examples.
func (s Sizes) Pixels(n int) int { return s.T * n * s.C * s.H * s.W }

// buffer is memory for one full batch.
type buffer struct {
	inputs          [][]float32
	labels, indices []int64
	truth           []float32
	choices         []Choices
}

// Release gives the memory of the batch back to its loader, which fills it with a later
// batch. Its slices become nil, and parts of them that were kept must no longer be used. A
// batch that is never released is left to the garbage collector; a second Release does
// nothing.
func (b *Batch) Release() {
	if b.loader == nil {
		return
	}
	b.loader.free.Give(b.memory)
	b.loader, b.memory = nil, buffer{}
	b.Inputs, b.Labels, b.Truth, b.Indices, b.Choices = nil, nil, nil, nil, nil
}

// Batches are the batches of one epoch in order. One goroutine at a time may call its
// methods: Next waits for the next batch, and returns [io.EOF] after the last one, the error
// of the context when that ends, that of an example that cannot be read, and [ErrClosed]
// after Close; from then on always the same. Close stops the workers, waits until they have
// ended, and recycles what was prepared but not asked for; it may be called again.
type Batches = ordered.Values[*Batch]
