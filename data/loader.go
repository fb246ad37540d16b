package data

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"

	"github.com/spikedhs/spikedhs/data/internal/ordered"
	"github.com/spikedhs/spikedhs/data/internal/random"
)

// LoaderOptions configure a [Loader]. Only Batch has no default.
type LoaderOptions struct {
	// Batch is the number of images of a batch, at least 1.
	Batch int
	// Seed decides the order and the augmentation of every epoch.
	Seed uint64
	// Workers is the number of goroutines that prepare batches. Default: one
	// for each CPU that Go may use, at most 4 for images that are in memory. It
	// has no influence on what a batch holds.
	Workers int
	// Prefetch is the number of batches prepared ahead of the caller. Default:
	// 2 for each worker.
	Prefetch int
	// Shuffle draws a new order for every epoch. Default: the order of the set.
	Shuffle bool
	// DropLast leaves out the last batch where it is not full.
	DropLast bool
	// Augment turns stored images into network inputs.
	Augment Augment
	// Plan leaves out the images: a batch has Indices, Choices and Labels alone, for
	// a caller that keeps the data set on its device and applies the choices there.
	// Default: batches have their images.
	Plan bool
}

// Loader cuts a [Dataset] into augmented float32 batches, prepared in the
// background.
//
// The order of an epoch is a function of (Seed, epoch), and the random choices
// for an image one of (Seed, epoch, its index in the set). So batch k of epoch e
// is the same, bit for bit, for any number of workers and wherever the epoch
// was entered.
type Loader struct {
	set       Dataset
	opts      LoaderOptions
	transform *Transform
	crops     Cropper // set, where it decodes on demand, else nil
	parts     int     // pieces of a batch that workers take
	free      ordered.Pool[buffer]
}

// buffer is room for one full batch.
type buffer struct {
	images  []float32
	labels  []int64
	indices []int64
	choices []Choices
}

// NewLoader makes a Loader over set. It fails on an empty set, on options out
// of range and on an Augment that does not fit the images.
func NewLoader(set Dataset, opts LoaderOptions) (*Loader, error) {
	if opts.Batch < 1 || opts.Workers < 0 || opts.Prefetch < 0 {
		return nil, fmt.Errorf("loader: batch %d, workers %d, prefetch %d; want at least 1, 0 and 0",
			opts.Batch, opts.Workers, opts.Prefetch)
	}
	crops, onDemand := set.(Cropper)
	if opts.Augment.Resized != (ResizedCrop{}) && !onDemand {
		return nil, fmt.Errorf("loader: %s: a resized crop needs pictures that are decoded on demand; images in memory have a crop padding", set.Name())
	}
	if opts.Workers == 0 {
		opts.Workers = runtime.GOMAXPROCS(0)
		if !onDemand {
			opts.Workers = min(4, opts.Workers)
		}
	}
	if opts.Prefetch == 0 {
		opts.Prefetch = 2 * opts.Workers
	}
	if timed, ok := AsTimed(set); ok && opts.Augment.Levels == nil {
		opts.Augment.Levels = timed.Levels()
	}
	transform, err := opts.Augment.Compile(set.Shape())
	if err != nil {
		return nil, fmt.Errorf("loader: %s: %w", set.Name(), err)
	}
	l := &Loader{set: set, crops: crops, opts: opts, transform: transform, parts: 1}
	if onDemand {
		// Decoding takes much longer than a look into memory: all workers share a batch.
		l.parts = min(opts.Workers, opts.Batch)
	}
	if l.Batches() == 0 {
		return nil, fmt.Errorf("loader: %s has %d images, which make no batch of %d; add images or take a smaller batch",
			set.Name(), set.Len(), opts.Batch)
	}
	l.opts.Prefetch = min(opts.Prefetch, l.Batches())
	l.free = make(ordered.Pool[buffer], l.opts.Prefetch+1)
	return l, nil
}

// Batches is the number of batches of one epoch.
func (l *Loader) Batches() int {
	if l.opts.DropLast {
		return l.set.Len() / l.opts.Batch
	}
	return (l.set.Len() + l.opts.Batch - 1) / l.opts.Batch
}

// Shape is the number of channels, rows and columns of an image in a batch.
func (l *Loader) Shape() (c, h, w int) { return l.transform.Shape() }

// Set is the data set that l serves.
func (l *Loader) Set() Dataset { return l.set }

// Transform is what turns the images of the set into network inputs.
func (l *Loader) Transform() *Transform { return l.transform }

// Planned is a loader of the same batches without their images, see
// [LoaderOptions].Plan.
func (l *Loader) Planned() *Loader {
	p := &Loader{set: l.set, crops: l.crops, opts: l.opts, transform: l.transform, parts: l.parts, free: make(ordered.Pool[buffer], cap(l.free))}
	p.opts.Plan = true
	return p
}

// Epoch starts the workers on one pass over the set and returns its batches,
// from number firstBatch on; 0 is a whole epoch, [Loader.Batches] an empty rest.
// The first epoch is number 0. The workers end when [Batches.Next] has returned
// an error, io.EOF included, when ctx ends, and when [Batches.Close] is called. An
// epoch or a firstBatch out of range is reported by Next.
func (l *Loader) Epoch(ctx context.Context, epoch, firstBatch int) *Batches {
	if epoch < 0 || firstBatch < 0 || firstBatch > l.Batches() {
		return &Batches{ordered.Failed[*Batch](fmt.Errorf("loader: %s has no epoch %d, batch %d; an epoch has %d batches",
			l.set.Name(), epoch, firstBatch, l.Batches()))}
	}
	var order []int // nil: that of the set
	if l.opts.Shuffle {
		order = random.Permutation(l.set.Len(), l.opts.Seed, random.Order, epoch)
	}
	return &Batches{ordered.Start(ctx, ordered.Work[*Batch]{
		First: firstBatch, End: l.Batches(), Workers: l.opts.Workers, Ahead: l.opts.Prefetch, Parts: l.parts,
		Begin: func(k int) *Batch { return l.begin(epoch, k) },
		Worker: func(ctx context.Context) func(*Batch, int, int) error {
			c, h, w := l.set.Shape()
			pixels, rng := make([]byte, c*h*w), new(rand.PCG)
			return func(b *Batch, _, part int) error {
				return l.fill(ctx, b, order, part*b.N/l.parts, (part+1)*b.N/l.parts, pixels, rng)
			}
		},
		Drop: (*Batch).Release, Closed: ErrClosed,
	})}
}

// buffer makes room for one batch.
func (l *Loader) buffer() buffer {
	c, h, w := l.Shape()
	n := min(l.opts.Batch, l.set.Len())
	b := buffer{labels: make([]int64, n), indices: make([]int64, n), choices: make([]Choices, n)}
	if !l.opts.Plan {
		b.images = make([]float32, n*c*h*w)
	}
	return b
}
