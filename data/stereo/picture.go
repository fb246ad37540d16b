package stereo

import (
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"math"
)

// Colours of a picture of events.
var (
	brighter = color.RGBA{220, 50, 30, 255}
	darker   = color.RGBA{30, 80, 220, 255}
	both     = color.RGBA{150, 60, 150, 255}
	paper    = color.RGBA{250, 250, 250, 255}
	nothing  = color.RGBA{0, 0, 0, 255}
)

// EventPicture draws a stack, [c, h, w]: red where all bins of a pixel are brighter or
// zero, blue where darker, purple where there is both, white where nothing happened.
func EventPicture(stack []float32, c, h, w int) *image.RGBA {
	return paint(h, w, func(i int) color.RGBA {
		up, down := false, false
		for k := range c {
			v := stack[k*h*w+i]
			up, down = up || v > 0, down || v < 0
		}
		switch {
		case up && down:
			return both
		case up:
			return brighter
		case down:
			return darker
		}
		return paper
	})
}

// paint is a picture of h rows and w columns with the colour of each pixel.
func paint(h, w int, colour func(i int) color.RGBA) *image.RGBA {
	picture := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range h * w {
		picture.SetRGBA(i%w, i/w, colour(i))
	}
	return picture
}

// DisparityPicture draws disparity in pixels, [h, w]: from blue (0, far) over green to
// red (largest, near), black where there is none.
func DisparityPicture(disparity []float32, h, w int, largest float64) *image.RGBA {
	return paint(h, w, func(i int) color.RGBA { return disparityColour(float64(disparity[i]), largest) })
}

func disparityColour(d, largest float64) color.RGBA {
	if math.IsNaN(d) || math.IsInf(d, 0) || !(largest > 0) {
		return nothing
	}
	x := min(1, max(0, d/largest))
	// Bumps of red, green and blue along the way, each half a range wide.
	bump := func(centre float64) uint8 {
		return uint8(math.Round(255 * min(1, max(0, 1.5-4*math.Abs(x-centre)))))
	}
	return color.RGBA{bump(0.78), bump(0.5), bump(0.22), 255}
}

// largestDisparity is the largest finite value.
func largestDisparity(d []float32) (largest float64) {
	for _, v := range d {
		if v := float64(v); !math.IsInf(v, 0) && !math.IsNaN(v) {
			largest = max(largest, v)
		}
	}
	return largest
}

// Picture draws a step: events of the left and right view and, where there is a label,
// disparity up to largest pixels beside them; a largest of 0 is that of the label.
// Every pixel becomes zoom x zoom.
func (s *Step) Picture(largest float64, zoom int) *image.RGBA {
	parts := []*image.RGBA{EventPicture(s.Left, s.C, s.H, s.W), EventPicture(s.Right, s.C, s.H, s.W)}
	if s.Label != nil {
		if largest == 0 {
			largest = largestDisparity(s.Label)
		}
		parts = append(parts, DisparityPicture(s.Label, s.H, s.W, largest))
	}
	return Beside(zoom, parts...)
}

// Beside puts pictures of one height beside each other, enlarged zoom times.
func Beside(zoom int, parts ...*image.RGBA) *image.RGBA {
	const gap = 2
	zoom = max(1, zoom)
	width, height := -gap, 0
	for _, p := range parts {
		width += p.Bounds().Dx()*zoom + gap
		height = max(height, p.Bounds().Dy()*zoom)
	}
	out := image.NewRGBA(image.Rect(0, 0, max(0, width), height))
	x := 0
	for _, p := range parts {
		b := p.Bounds()
		for py := range b.Dy() * zoom {
			for px := range b.Dx() * zoom {
				out.SetRGBA(x+px, py, p.RGBAAt(b.Min.X+px/zoom, b.Min.Y+py/zoom))
			}
		}
		x += b.Dx()*zoom + gap
	}
	return out
}

// Paletted is a picture for a GIF.
func Paletted(p *image.RGBA) *image.Paletted {
	out := image.NewPaletted(p.Bounds(), palette.Plan9)
	draw.Draw(out, out.Bounds(), p, p.Bounds().Min, draw.Src)
	return out
}

// ErrorPicture draws how far a disparity is from the truth, [h, w] each, in pixels:
// white where it is right, yellow, then red at 1 px, black from 3 px on, gray where
// there is no truth.
func ErrorPicture(disparity, truth []float32, h, w int) *image.RGBA {
	return paint(h, w, func(i int) color.RGBA { return errorColour(float64(disparity[i]), float64(truth[i])) })
}

// Colours of an error of 0, 0.5, 1 and 3 pixels.
var errorColours = []struct {
	at     float64
	colour [3]float64
}{{0, [3]float64{255, 255, 255}}, {0.5, [3]float64{255, 225, 90}}, {1, [3]float64{220, 40, 30}}, {3, [3]float64{0, 0, 0}}}

func errorColour(d, truth float64) color.RGBA {
	off := math.Abs(d - truth)
	if math.IsNaN(off) || math.IsInf(truth, 0) {
		return color.RGBA{150, 150, 150, 255}
	}
	for i, b := range errorColours[1:] {
		a := errorColours[i]
		if off > b.at {
			continue
		}
		x := (off - a.at) / (b.at - a.at)
		mix := func(k int) uint8 { return uint8(math.Round(a.colour[k] + x*(b.colour[k]-a.colour[k]))) }
		return color.RGBA{mix(0), mix(1), mix(2), 255}
	}
	return color.RGBA{A: 255}
}

// Overlay draws the events of a stack, [c, h, w], over a copy of a picture of the same
// size: white where all bins of a pixel are brighter or zero, black where darker.
func Overlay(picture *image.RGBA, stack []float32, c int) *image.RGBA {
	b := picture.Bounds()
	w, h := b.Dx(), b.Dy()
	return paint(h, w, func(i int) color.RGBA {
		sum := float32(0)
		for k := range c {
			sum += stack[k*h*w+i]
		}
		switch {
		case sum > 0:
			return color.RGBA{255, 255, 255, 255}
		case sum < 0:
			return nothing
		}
		return picture.RGBAAt(b.Min.X+i%w, b.Min.Y+i/w)
	})
}
