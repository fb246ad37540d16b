package data

import (
	"math/rand/v2"

	"github.com/spikedhs/spikedhs/data/internal/random"
)

// Transform applies an [Augment] to images of one shape. It allocates nothing
// and may be used by many goroutines at once.
type Transform struct {
	augment    Augment
	c, h, w    int // stored image
	outH, outW int // network input
	tables     []*[256]float32
}

// Compile prepares a for images of c channels, h rows and w columns. It fails
// when the settings do not fit that shape or are out of range.
func (a Augment) Compile(c, h, w int) (*Transform, error) {
	if err := a.check(c); err != nil {
		return nil, err
	}
	t := &Transform{augment: a, c: c, h: h, w: w, outH: h + 2*a.Pad, outW: w + 2*a.Pad}
	for k := range c {
		t.tables = append(t.tables, a.table(k))
	}
	return t, nil
}

// Shape is the number of channels, rows and columns of the output.
func (t *Transform) Shape() (c, h, w int) { return t.c, t.outH, t.outW }

// Choices are the random decisions for one image.
type Choices struct {
	// Top and Left are the row and column of the stored image that fall on the
	// first pixel of the output; they may lie outside.
	Top, Left int
	// Flip mirrors the window left to right.
	Flip bool
	// Row and Col are the centre of the cutout in the output; without one they
	// are 0.
	Row, Col int
}

// Choose draws from rng for the steps that are turned on and only for those: the
// row and column of the crop, the flip, the row and column of the cutout centre.
// rng may be nil where no step is random.
func (t *Transform) Choose(rng rand.Source) Choices {
	a := &t.augment
	choice := Choices{Top: -a.Pad, Left: -a.Pad}
	if a.CropPadding > 0 {
		choice.Top += random.Below(rng, 2*a.CropPadding+1) - a.CropPadding
		choice.Left += random.Below(rng, 2*a.CropPadding+1) - a.CropPadding
	}
	choice.Flip = a.Flip && random.Below(rng, 2) == 1
	if a.Cutout > 0 {
		choice.Row, choice.Col = random.Below(rng, t.outH), random.Below(rng, t.outW)
	}
	return choice
}

// Apply turns the 8-bit C,H,W planes src of one image into the float32 C,H,W
// planes dst of [Transform.Shape], with what [Transform.Choose] draws from rng.
// It panics when src or dst is too short.
func (t *Transform) Apply(dst []float32, src []byte, rng rand.Source) {
	t.ApplyChoices(dst, src, t.Choose(rng))
}

// ApplyChoices is Apply with choices that were made before.
func (t *Transform) ApplyChoices(dst []float32, src []byte, choice Choices) {
	plane := t.outH * t.outW
	for c, table := range t.tables {
		t.window(dst[c*plane:(c+1)*plane], src[c*t.h*t.w:(c+1)*t.h*t.w], choice.Top, choice.Left, choice.Flip, table)
	}
	if t.augment.Cutout > 0 {
		t.cutout(dst, choice.Row, choice.Col)
	}
}

// Tables are the values of the 256 pixel levels, channel by channel, for a device
// that applies the choices itself.
func (t *Transform) Tables() []float32 {
	var all []float32
	for _, table := range t.tables {
		all = append(all, table[:]...)
	}
	return all
}

// window fills one output plane with the part of one source plane that starts
// at (top, left), which may lie outside: what is outside is a zero pixel.
func (t *Transform) window(dst []float32, src []byte, top, left int, flip bool, table *[256]float32) {
	first, last := max(0, -left), min(t.outW, t.w-left) // output columns that have a source
	for y := range t.outH {
		out := dst[y*t.outW : (y+1)*t.outW]
		row := y + top
		if row < 0 || row >= t.h || first >= last {
			fill(out, table[0])
			continue
		}
		in := src[row*t.w+left+first : row*t.w+left+last]
		if flip {
			fill(out[:t.outW-last], table[0])
			mirror(out[t.outW-last:t.outW-first], in, table)
			fill(out[t.outW-first:], table[0])
		} else {
			fill(out[:first], table[0])
			translate(out[first:last], in, table)
			fill(out[last:], table[0])
		}
	}
}

// cutout erases the square centred on (row, col) in every channel.
func (t *Transform) cutout(dst []float32, row, col int) {
	side := t.augment.Cutout
	top, left := row-side/2, col-side/2
	bottom, right := min(top+side, t.outH), min(left+side, t.outW)
	top, left = max(top, 0), max(left, 0)
	for c := range t.c {
		for y := top; y < bottom; y++ {
			start := (c*t.outH + y) * t.outW
			clear(dst[start+left : start+right])
		}
	}
}

// translate looks up every pixel of src, which is as long as dst.
func translate(dst []float32, src []byte, table *[256]float32) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = table[v]
	}
}

// mirror is translate from right to left.
func mirror(dst []float32, src []byte, table *[256]float32) {
	dst = dst[:len(src)]
	end := len(dst) - 1
	for i, v := range src {
		dst[end-i] = table[v]
	}
}

func fill(dst []float32, v float32) {
	for i := range dst {
		dst[i] = v
	}
}
