package data

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/spikedhs/spikedhs/data/internal/random"
)

// Examples are what a [Loader] serves: the images of a [Dataset], or what another package
// brings, such as windows of recordings of two cameras. What an example is in a batch
// depends on the seed, the epoch and its index alone.
type Examples interface {
	// Name is what errors call them, Noun what they are, such as "images".
	Name() string
	Noun() string
	Len() int
	Sizes() Sizes
	// Inputs is the number of inputs of a network; Mapped tells that the examples have
	// Truth for each pixel in place of labels.
	Inputs() int
	Mapped() bool
	// Reader is for one worker: it puts example i at place k of a batch, with the random
	// choices of a seed. In batches without Inputs it leaves out what is stored.
	Reader(seed uint64) func(ctx context.Context, b *Batch, k, i int) error
	// Bytes is the size of what Stored reads, -1 where the examples are not stored.
	Bytes() int64
	Stored() (*Stored, error)
}

// Stored is a set as it is stored, for a device that makes the batches itself: step t of
// example i is row Rows[i*T+t] of each input, or row i where Rows is nil, cut and mirrored
// by the choices of the example.
type Stored struct {
	Inputs []Planes
	Labels []int64 // of each example, else
	Truth  Planes
	Rows   []int64
	// Cutout is the side of the square that choices erase.
	Cutout int
}

// Planes are M pictures of bytes, [M, C, H, W]. Each table, [C, 256], has the values of a
// channel: that of table d and plane c is number c*len(Tables)+d of a batch, which leaves
// out what is beyond its own.
type Planes struct {
	Bytes      []byte
	M, C, H, W int
	Tables     [][]float32
}

// images are the examples of a Dataset.
type images struct {
	Dataset
	augment   Augment
	transform *Transform
	crops     Cropper // the set, where it decodes on demand, else nil
}

func newImages(set Dataset, a Augment) (*images, error) {
	crops, onDemand := set.(Cropper)
	if a.Resized != (ResizedCrop{}) && !onDemand {
		return nil, fmt.Errorf("loader: %s: a resized crop needs pictures that are decoded on demand; images in memory have a crop padding", set.Name())
	}
	if timed, ok := AsTimed(set); ok && a.Levels == nil {
		a.Levels = timed.Levels()
	}
	transform, err := a.Compile(set.Shape())
	if err != nil {
		return nil, fmt.Errorf("loader: %s: %w", set.Name(), err)
	}
	return &images{Dataset: set, augment: a, transform: transform, crops: crops}, nil
}

func (*images) Noun() string { return "images" }
func (*images) Inputs() int  { return 1 }
func (*images) Mapped() bool { return false }

func (m *images) Sizes() Sizes {
	c, h, w := m.transform.Shape()
	return Sizes{1, c, h, w}
}

func (m *images) Reader(seed uint64) func(ctx context.Context, b *Batch, k, i int) error {
	c, h, w := m.Dataset.Shape()
	pixels, rng := make([]byte, c*h*w), new(rand.PCG)
	return func(_ context.Context, b *Batch, k, i int) error {
		label, err := m.read(seed, b.Epoch, i, pixels, rng)
		if err != nil {
			return err
		}
		random.Seed(rng, seed, random.Item, b.Epoch, i)
		choice := m.transform.Choose(rng)
		if b.Inputs != nil {
			size := b.Pixels(1)
			m.transform.ApplyChoices(b.Inputs[0][k*size:(k+1)*size], pixels, choice)
		}
		b.Labels[k], b.Choices[k] = int64(label), choice
		return nil
	}
}

// read gets the pixels of image i: as they are stored, or a random part of a picture.
func (m *images) read(seed uint64, epoch, i int, pixels []byte, rng *rand.PCG) (label int, err error) {
	if m.augment.Resized == (ResizedCrop{}) {
		return m.Image(i, pixels)
	}
	random.Seed(rng, seed, random.Crop, epoch, i)
	return m.crops.Crop(i, m.augment.Resized, rng, pixels)
}

func (m *images) Bytes() int64 {
	if m.crops != nil {
		return -1
	}
	c, h, w := m.Dataset.Shape()
	return int64(m.Len()) * int64(c*h*w)
}

func (m *images) Stored() (*Stored, error) {
	c, h, w := m.Dataset.Shape()
	size, n := c*h*w, m.Len()
	s := &Stored{
		Inputs: []Planes{{Bytes: make([]byte, n*size), M: n, C: c, H: h, W: w, Tables: [][]float32{m.transform.Tables()}}},
		Labels: make([]int64, n), Cutout: m.augment.Cutout,
	}
	for i := range n {
		label, err := m.Image(i, s.Inputs[0].Bytes[i*size:(i+1)*size])
		if err != nil {
			return nil, err
		}
		s.Labels[i] = int64(label)
	}
	return s, nil
}
