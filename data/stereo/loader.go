package stereo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/internal/ordered"
	"github.com/spikedhs/spikedhs/data/internal/random"
)

// LoaderOptions configure a [Loader]. Only Batch has no default.
type LoaderOptions struct {
	// Steps is T, the number of consecutive stacks of a window: the label's frame and
	// those before it. Default 5.
	Steps int
	// Batch is N, the number of windows of a batch, at least 1.
	Batch int
	// Seed decides order and crops of every epoch.
	Seed uint64
	// Shuffle draws a new order for every epoch. Default: the order of the list.
	Shuffle bool
	// DropLast leaves out the last batch where it is not full.
	DropLast bool
	// CropHeight and CropWidth are the size of the part that is cut out of each window
	// at a random place, the same for both views, the label and all steps. Default 0:
	// the whole picture.
	CropHeight, CropWidth int
	// Workers is the number of goroutines that prepare batches. Default: one for each
	// CPU that Go may use, at most 8. It has no influence on what a batch holds.
	Workers int
	// Prefetch is the number of batches prepared ahead. Default: 2 for each worker.
	Prefetch int
}

// Loader cuts the windows of a list of frames into batches, prepared in the
// background. Batch k of epoch e is the same, bit for bit, for any number of workers
// and wherever the epoch was entered.
type Loader struct {
	set     *Set
	windows []Frame
	opts    LoaderOptions
	free    ordered.Pool[buffer]
}

// buffer is room for one batch.
type buffer struct {
	left, right, labels []float32
}

// NewLoader makes a Loader over the windows that end in frames. Frames without enough
// frames before them are left out. It fails if none is left, on options out of range
// and on frames that the set does not have.
func NewLoader(set *Set, frames []Frame, o LoaderOptions) (*Loader, error) {
	if o.Steps == 0 {
		o.Steps = 5
	}
	if o.Workers == 0 {
		o.Workers = min(8, runtime.GOMAXPROCS(0))
	}
	if o.Prefetch == 0 {
		o.Prefetch = 2 * o.Workers
	}
	if o.Batch < 1 || o.Steps < 1 || o.Workers < 1 || o.Prefetch < 1 {
		return nil, fmt.Errorf("stereo loader: batch %d, steps %d, workers %d, prefetch %d; want at least 1 each", o.Batch, o.Steps, o.Workers, o.Prefetch)
	}
	if o.CropHeight == 0 && o.CropWidth == 0 {
		o.CropHeight, o.CropWidth = set.rig.Height, set.rig.Width
	}
	if o.CropHeight < 1 || o.CropWidth < 1 || o.CropHeight > set.rig.Height || o.CropWidth > set.rig.Width {
		return nil, fmt.Errorf("stereo loader: a crop of %d x %d does not fit into pictures of %d x %d; choose a smaller one",
			o.CropWidth, o.CropHeight, set.rig.Width, set.rig.Height)
	}
	if err := set.check(frames); err != nil {
		return nil, err
	}
	l := &Loader{set: set, windows: Windows(frames, o.Steps), opts: o}
	if l.Batches() == 0 {
		return nil, fmt.Errorf("stereo loader: %d windows of %d steps make no batch of %d; give more frames or take a smaller batch", len(l.windows), o.Steps, o.Batch)
	}
	l.free = make(ordered.Pool[buffer], o.Prefetch+1)
	return l, nil
}

// Len is the number of windows of an epoch.
func (l *Loader) Len() int { return len(l.windows) }

// Windows are the last frames of the windows, in the order of the list.
func (l *Loader) Windows() []Frame { return l.windows }

// Batches is the number of batches of an epoch.
func (l *Loader) Batches() int {
	if l.opts.DropLast {
		return len(l.windows) / l.opts.Batch
	}
	return (len(l.windows) + l.opts.Batch - 1) / l.opts.Batch
}

// Shape is the number of steps, channels, rows and columns of a window.
func (l *Loader) Shape() (t, c, h, w int) {
	return l.opts.Steps, l.set.binning.Bins, l.opts.CropHeight, l.opts.CropWidth
}

// Epoch starts one pass over the windows and returns its batches, from number first
// on. The first epoch is number 0. An epoch or a first out of range is reported by
// Next.
func (l *Loader) Epoch(ctx context.Context, epoch, first int) *Batches {
	if epoch < 0 || first < 0 || first > l.Batches() {
		return &Batches{ordered.Failed[*Batch](fmt.Errorf("stereo loader: no epoch %d, batch %d; an epoch has %d batches", epoch, first, l.Batches()))}
	}
	var order []int
	if l.opts.Shuffle {
		order = random.Permutation(len(l.windows), l.opts.Seed, random.Order, epoch)
	}
	return &Batches{ordered.Start(ctx, ordered.Work[*Batch]{
		First: first, End: l.Batches(), Workers: l.opts.Workers, Ahead: l.opts.Prefetch, Parts: 1,
		Begin: func(k int) *Batch { return l.begin(epoch, k) },
		Worker: func(ctx context.Context) func(*Batch, int, int) error {
			return func(b *Batch, k, _ int) error {
				for i := range b.N {
					number := k*l.opts.Batch + i
					if order != nil {
						number = order[number]
					}
					b.Frames = append(b.Frames, l.windows[number])
					if err := l.fill(ctx, b, i, number); err != nil {
						return err
					}
				}
				return nil
			}
		},
		Drop: (*Batch).Release, Closed: data.ErrClosed,
	})}
}

// begin is batch k of an epoch, still empty.
func (l *Loader) begin(epoch, k int) *Batch {
	t, c, h, w := l.Shape()
	n := min(l.opts.Batch, len(l.windows)-k*l.opts.Batch)
	buf := l.free.Take(l.buffer)
	return &Batch{
		Left: buf.left[:t*n*c*h*w], Right: buf.right[:t*n*c*h*w], Labels: buf.labels[:t*n*h*w],
		T: t, N: n, C: c, H: h, W: w, Epoch: epoch, Index: k, loader: l, buffer: buf,
	}
}

// fill writes window number to place n of b.
func (l *Loader) fill(ctx context.Context, b *Batch, n, number int) error {
	last, rig := l.windows[number], l.set.rig
	rng := new(rand.PCG)
	random.Seed(rng, l.opts.Seed, random.Item, b.Epoch, number)
	part := crop{
		x: random.Below(rng, rig.Width-b.W+1), y: random.Below(rng, rig.Height-b.H+1),
		width: b.W, height: b.H,
	}
	size := b.C * b.H * b.W
	for t := range b.T {
		if err := ctx.Err(); err != nil {
			return err
		}
		f := Frame{last.Sequence, last.Index - b.T + 1 + t}
		row := t*b.N + n
		for v, out := range [][]float32{b.Left, b.Right} {
			packed, err := l.set.packed(View(v), f)
			if err != nil {
				return err
			}
			unpack(out[row*size:][:size], packed, b.C, rig.Width, rig.Height, part)
		}
		label, err := l.set.label(f)
		if err != nil {
			return err
		}
		out := b.Labels[row*b.H*b.W:][:b.H*b.W]
		for y := range b.H {
			for x, value := range label[(part.y+y)*rig.Width+part.x:][:b.W] {
				out[y*b.W+x] = dequantize[value]
			}
		}
	}
	return nil
}

// buffer makes room for one batch.
func (l *Loader) buffer() buffer {
	t, c, h, w := l.Shape()
	n := t * min(l.opts.Batch, len(l.windows)) * h * w
	return buffer{left: make([]float32, n*c), right: make([]float32, n*c), labels: make([]float32, n)}
}
