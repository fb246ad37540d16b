package data

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
