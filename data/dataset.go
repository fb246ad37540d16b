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
