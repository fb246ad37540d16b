package data

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spikedhs/spikedhs/data/internal/random"
)

// Augment says how a stored image becomes a network input. The zero value only
// scales the pixels to 0..1.
//
// The steps, in this order:
//
//  1. pixels are scaled by 1/255; with Resized, they are those of a random part of the
//     picture;
//  2. Pad zeros are put on every side, which gives the input size h+2*Pad by w+2*Pad;
//  3. CropPadding more zeros are put on every side and a window of the input
//     size is cut out at a random place;
//  4. with Flip, the window is mirrored left to right with probability 1/2;
//  5. every channel becomes (x-Mean)/Std, padding included;
//  6. a square of Cutout pixels a side becomes 0 (DeVries and Taylor 2017). Its
//     centre is any pixel of the input, so the square may stick out.
type Augment struct {
	// Pad is the number of zero rows and columns on each side, for training
	// and evaluation alike. Default 0.
	Pad int
	// CropPadding is how far, in pixels, the random crop may move the image in
	// each direction. Default 0: no crop.
	CropPadding int
	// Resized is the random resized crop of a [Cropper], in place of its centre crop.
	// Default: none.
	Resized ResizedCrop
	// Flip turns on the random horizontal flip.
	Flip bool
	// Cutout is the side of the erased square in pixels. Default 0: none.
	Cutout int
	// Mean and Std have one value for each channel, on the scale 0..1; see
	// [Normalization]. Default nil: no normalisation.
	Mean, Std []float32
	// Levels are the values of the 256 pixel levels, before Mean and Std; level 0 is
	// also that of padding. Default nil: level/255, or those of a [Timed] set.
	Levels *[256]float32
}

// check reports what makes a unusable for images of c channels.
func (a Augment) check(c int) error {
	if a.Pad < 0 || a.CropPadding < 0 || a.Cutout < 0 {
		return fmt.Errorf("augment: pad %d, crop padding %d, cutout %d; none may be negative", a.Pad, a.CropPadding, a.Cutout)
	}
	if err := a.Resized.check(); err != nil {
		return err
	}
	if len(a.Mean) == 0 && len(a.Std) == 0 {
		return nil
	}
	if len(a.Mean) != c || len(a.Std) != c {
		return fmt.Errorf("augment: %d means and %d standard deviations for %d channels; give one of each a channel",
			len(a.Mean), len(a.Std), c)
	}
	for i, s := range a.Std {
		if m := float64(a.Mean[i]); math.IsNaN(m) || math.IsInf(m, 0) || !(s > 0) || math.IsInf(float64(s), 0) {
			return fmt.Errorf("augment: channel %d has mean %v and standard deviation %v; want finite numbers, the second above 0",
				i, a.Mean[i], s)
		}
	}
	return nil
}

// table gives the value of each of the 256 pixel levels in channel c. It is
// worked out in float32, one operation at a time, as a network that normalises
// its own float32 input does it.
func (a Augment) table(c int) *[256]float32 {
	var t [256]float32
	for level := range t {
		t[level] = float32(level) / 255
		if a.Levels != nil {
			t[level] = a.Levels[level]
		}
		if len(a.Mean) > 0 {
			t[level] = (t[level] - a.Mean[c]) / a.Std[c]
		}
	}
	return &t
}

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
