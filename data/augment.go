package data

import (
	"fmt"
	"math"
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
