package data

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/spikedhs/spikedhs/data/internal/random"
)

// Cropper is a [Dataset] of pictures of any size that are decoded when they are
// asked for. Its Image is the centre crop that evaluation takes; a [Loader] whose
// Augment has a Resized crop calls Crop instead.
//
// Implementations must be safe for concurrent use.
type Cropper interface {
	Dataset
	// Crop decodes picture i, draws a part of it from rng, and writes that part,
	// resized to Shape, to dst, as Image does. What it draws depends on the state
	// of rng and the size of the picture alone.
	Crop(i int, crop ResizedCrop, rng rand.Source, dst []byte) (label int, err error)
}

// ResizedCrop is the random resized crop of Inception (Szegedy et al. 2015): a part
// of a picture with a random area and a random ratio of its sides, resized to a
// square. The zero value is none.
type ResizedCrop struct {
	// MinArea is the smallest share of the picture's area, above 0 and up to 1. The
	// share is drawn evenly from MinArea to 1. 0.08 is usual for ImageNet.
	MinArea float64
	// MaxRatio is the largest ratio of the longer side of the part to the shorter,
	// at least 1. The logarithm of width by height is drawn evenly. 4/3 is usual.
	MaxRatio float64
}

// ImageNetCrop is the crop that ImageNet classifiers are trained with: areas of 8 to
// 100 %, ratios of 3/4 to 4/3.
var ImageNetCrop = ResizedCrop{MinArea: 0.08, MaxRatio: 4.0 / 3}

// check reports what makes r unusable.
func (r ResizedCrop) check() error {
	if r == (ResizedCrop{}) {
		return nil
	}
	if !(r.MinArea > 0 && r.MinArea <= 1) || !(r.MaxRatio >= 1 && r.MaxRatio <= 100) {
		return fmt.Errorf("augment: resized crop with a smallest area of %v and a largest ratio of %v; want above 0 to 1, and 1 to 100",
			r.MinArea, r.MaxRatio)
	}
	return nil
}

// cropAttempts is how often a part is drawn that may not fit into the picture.
const cropAttempts = 10

// draw chooses a part of a picture of w columns and h rows. Where ten draws do not
// fit, it is the largest centred part whose ratio is allowed.
func (r ResizedCrop) draw(w, h int, rng rand.Source) window {
	area, logRatio := float64(w)*float64(h), math.Log(r.MaxRatio)
	for range cropAttempts {
		target := area * (r.MinArea + (1-r.MinArea)*unit(rng))
		ratio := math.Exp(logRatio * (2*unit(rng) - 1))
		cw, ch := int(math.Round(math.Sqrt(target*ratio))), int(math.Round(math.Sqrt(target/ratio)))
		if cw < 1 || ch < 1 || cw > w || ch > h {
			continue
		}
		y, x := random.Below(rng, h-ch+1), random.Below(rng, w-cw+1)
		return part(x, y, cw, ch)
	}
	cw, ch := w, h
	if limit := r.MaxRatio * float64(h); float64(w) > limit {
		cw = max(1, int(math.Round(limit)))
	} else if limit := r.MaxRatio * float64(w); float64(h) > limit {
		ch = max(1, int(math.Round(limit)))
	}
	return part((w-cw)/2, (h-ch)/2, cw, ch)
}

// unit draws a number from 0 up to and without 1.
func unit(rng rand.Source) float64 { return float64(rng.Uint64()>>11) / (1 << 53) }

// window is what is resized to a square: the edges x0..x1, y0..y1 in pixels, and
// the pixels that may be read for it.
type window struct {
	x0, y0, x1, y1         float64
	left, top, right, foot int
}

// part is a window of whole pixels; what lies outside is not looked at.
func part(x, y, w, h int) window {
	return window{float64(x), float64(y), float64(x + w), float64(y + h), x, y, x + w, y + h}
}

// shortSide is the length in pixels that the short side of a picture is resized to
// before its centre is cut out: 256 for crops of 224.
func shortSide(size int) int { return int(math.Round(float64(size) * 256 / 224)) }

// centre is the middle of a picture of w columns and h rows after its short side has
// been resized to 256/224 of size, as a window of the picture itself. Only the part
// that is cut out is ever computed.
func centre(w, h, size int) window {
	short := shortSide(size)
	rw, rh := short, short
	if w > h {
		rw = int(float64(short) * float64(w) / float64(h))
	} else {
		rh = int(float64(short) * float64(h) / float64(w))
	}
	sx, sy := float64(w)/float64(rw), float64(h)/float64(rh)
	left, top := math.RoundToEven(float64(rw-size)/2), math.RoundToEven(float64(rh-size)/2)
	return window{
		left * sx, top * sy, (left + float64(size)) * sx, (top + float64(size)) * sy,
		0, 0, w, h,
	}
}
