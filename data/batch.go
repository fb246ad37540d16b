package data

import "github.com/spikedhs/spikedhs/data/internal/ordered"

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
