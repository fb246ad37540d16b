package stereo

import "github.com/spikedhs/spikedhs/data/internal/ordered"

// Batch are N windows of T steps as a network takes them.
type Batch struct {
	// Left and Right are stacks of -1, 0, +1 in the order [T*N, C, H, W], time slowest:
	// step t of window n is row t*N+n.
	Left, Right []float32
	// Labels are disparities in pixels, [T*N, H, W] in the same order; +Inf is no label.
	Labels []float32
	// Frames are the last frames of the N windows.
	Frames []Frame
	// T, N, C, H and W are the sizes. N is below the batch size only in the last batch
	// of an epoch.
	T, N, C, H, W int
	// Epoch and Index tell which batch of which epoch this is, both from 0.
	Epoch, Index int

	loader *Loader
	buffer buffer
}

// Release gives the memory of the batch back to its loader, which fills it with a later
// batch; its slices become nil. A batch that is never released is left to the garbage
// collector; a second Release does nothing.
func (b *Batch) Release() {
	if b.loader == nil {
		return
	}
	b.loader.free.Give(b.buffer)
	b.loader, b.buffer = nil, buffer{}
	b.Left, b.Right, b.Labels = nil, nil, nil
}

// Batches are the batches of one epoch, in order.
type Batches struct{ values *ordered.Values[*Batch] }

// Next returns the next batch, io.EOF behind the last. After an error it keeps
// returning that error.
func (b *Batches) Next() (*Batch, error) { return b.values.Next() }

// Close ends the preparation of batches. It may be called at any time and more than
// once.
func (b *Batches) Close() { b.values.Close() }
