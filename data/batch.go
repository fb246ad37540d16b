package data

// Batch is a stretch of one epoch as a network takes it.
type Batch struct {
	// Images are N*C*H*W normalised values in the order N,C,H,W; nil where
	// [LoaderOptions].Plan leaves them to the caller.
	Images []float32
	// Indices tell which images of the data set these are, and Choices how each is
	// augmented.
	Indices []int64
	Choices []Choices
	// Labels are N class indices.
	Labels []int64
	// N, C, H and W are the sizes of Images. N is below the batch size only in
	// the last batch of an epoch.
	N, C, H, W int
	// Epoch and Index tell which batch of which epoch this is, both from 0.
	Epoch, Index int

	loader *Loader
	buffer buffer
}

// Release gives the memory of the batch back to its loader, which fills it with
// a later batch. Its slices become nil, and parts of them that were kept must no longer be used. A batch that is never released is left to the
// garbage collector; a second Release does nothing.
func (b *Batch) Release() {
	if b.loader == nil {
		return
	}
	b.loader.free.Give(b.buffer)
	b.loader, b.buffer = nil, buffer{}
	b.Images, b.Labels, b.Indices, b.Choices = nil, nil, nil, nil
}
