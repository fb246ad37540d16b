package data

import "fmt"

// Dataset is a labelled set of images of one shape, indexed from 0.
//
// Implementations must be safe for concurrent use: the workers of a [Loader]
// call Image at the same time.
type Dataset interface {
	// Name is the name the set was opened under, such as "cifar10".
	Name() string
	// Len is the number of images.
	Len() int
	// Classes are the class names; a label is an index into them. The slice
	// must not be changed.
	Classes() []string
	// Shape is the number of channels, rows and columns of every image.
	Shape() (c, h, w int)
	// Image copies the 8-bit pixels of image i to dst as C,H,W planes and
	// returns its label. dst needs room for c*h*w bytes. It fails when i is
	// out of range or dst is too short.
	Image(i int, dst []byte) (label int, err error)
}

// checkImage fails unless ds has an image i and dst room for it.
func checkImage(ds Dataset, i int, dst []byte) error {
	c, h, w := ds.Shape()
	switch {
	case i < 0 || i >= ds.Len():
		return fmt.Errorf("%s: image %d of %d does not exist", ds.Name(), i, ds.Len())
	case len(dst) < c*h*w:
		return fmt.Errorf("%s: image %d needs a buffer of %d bytes, not %d", ds.Name(), i, c*h*w, len(dst))
	}
	return nil
}

// Split names one of the two published parts of a data set.
type Split int

// The published parts.
const (
	Train Split = iota
	Test
)

// String is "train" or "test".
func (s Split) String() string {
	switch s {
	case Train:
		return "train"
	case Test:
		return "test"
	}
	return fmt.Sprintf("Split(%d)", int(s))
}

// Memory is a [Dataset] that keeps all its pixels in one slice.
type Memory struct {
	name    string
	classes []string
	c, h, w int
	pixels  []byte // len(labels) images, each c*h*w bytes as C,H,W planes
	labels  []int
}

// NewMemory makes a Memory of len(labels) images of c channels, h rows and w
// columns. pixels holds them one after the other as C,H,W planes. The slices
// are kept, not copied. It fails with [ErrFormat] when the sizes do not agree
// or a label is not an index of classes.
func NewMemory(name string, classes []string, c, h, w int, pixels []byte, labels []int) (*Memory, error) {
	if c < 1 || h < 1 || w < 1 {
		return nil, malformed("image shape %dx%dx%d", c, h, w)
	}
	if size := c * h * w; len(pixels)%size != 0 || len(pixels)/size != len(labels) {
		return nil, malformed("%d bytes of pixels are not %d images of %dx%dx%d", len(pixels), len(labels), c, h, w)
	}
	for i, label := range labels {
		if label < 0 || label >= len(classes) {
			return nil, malformed("image %d has label %d of %d classes", i, label, len(classes))
		}
	}
	return &Memory{name: name, classes: classes, c: c, h: h, w: w, pixels: pixels, labels: labels}, nil
}

// Name, Len, Classes, Shape and Image implement [Dataset].
func (m *Memory) Name() string         { return m.name }
func (m *Memory) Len() int             { return len(m.labels) }
func (m *Memory) Classes() []string    { return m.classes }
func (m *Memory) Shape() (c, h, w int) { return m.c, m.h, m.w }

func (m *Memory) Image(i int, dst []byte) (int, error) {
	if err := checkImage(m, i, dst); err != nil {
		return 0, err
	}
	size := m.c * m.h * m.w
	copy(dst, m.pixels[i*size:(i+1)*size])
	return m.labels[i], nil
}

// Timed is a [Dataset] whose images are stacks of time steps, another picture
// each: [Dataset.Shape] counts the channels of all steps, those of the first step
// first. Crop, flip and cutout of an [Augment] are then the same at all steps.
type Timed interface {
	Dataset
	// Steps is the number of time steps T.
	Steps() int
	// Levels are the values that the bytes of an image stand for.
	Levels() *[256]float32
}

// AsTimed is ds, or the set of which ds is a subset, as a [Timed]; false where its
// images are pictures.
func AsTimed(ds Dataset) (Timed, bool) {
	if view, ok := ds.(*subset); ok {
		ds = view.Dataset
	}
	t, ok := ds.(Timed)
	return t, ok
}
