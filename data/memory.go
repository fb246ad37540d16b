package data

import "fmt"

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

// Name implements [Dataset].
func (m *Memory) Name() string { return m.name }

// Len implements [Dataset].
func (m *Memory) Len() int { return len(m.labels) }

// Classes implements [Dataset].
func (m *Memory) Classes() []string { return m.classes }

// Shape implements [Dataset].
func (m *Memory) Shape() (c, h, w int) { return m.c, m.h, m.w }

// Image implements [Dataset].
func (m *Memory) Image(i int, dst []byte) (int, error) {
	if i < 0 || i >= len(m.labels) {
		return 0, fmt.Errorf("%s: image %d of %d does not exist", m.name, i, len(m.labels))
	}
	size := m.c * m.h * m.w
	if len(dst) < size {
		return 0, fmt.Errorf("%s: image %d needs a buffer of %d bytes, not %d", m.name, i, size, len(dst))
	}
	copy(dst, m.pixels[i*size:(i+1)*size])
	return m.labels[i], nil
}
