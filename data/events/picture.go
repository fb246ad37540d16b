package events

import (
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"
)

// shades of each colour: 1 of binary stacks, more where numbers of events differ.
const shades = 15

// palette is black, shades of green (ON), of red (OFF), of yellow (both), and grey
// for the gaps.
var palette = func() color.Palette {
	p := color.Palette{color.RGBA{A: 255}}
	for _, c := range [][2]int{{0, 255}, {255, 0}, {255, 255}} {
		for k := 1; k <= shades; k++ {
			// The darkest shade is still to be seen.
			level := func(full int) uint8 { return uint8(full * (shades + 2*k) / (3 * shades)) }
			p = append(p, color.RGBA{R: level(c[0]), G: level(c[1]), A: 255})
		}
	}
	return append(p, color.RGBA{R: 64, G: 64, B: 64, A: 255})
}()

// gap is the index of the colour between the frames.
const gap = 3*shades + 1

// Pictures are the time steps of a stack that [Stacks.Make] made for a sensor of
// width x height pixels: ON green, OFF red, both yellow, brighter where there are
// more; a pixel becomes scale x scale. It fails where the stack has another size.
func (s Stacks) Pictures(stack []byte, width, height, scale int) ([]*image.Paletted, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	s = s.Filled()
	c, h, w := s.Shape(width, height)
	if scale < 1 || len(stack) != s.Steps*c*h*w {
		return nil, fmt.Errorf("pictures: scale %d, %d bytes for %d steps of %d x %d x %d", scale, len(stack), s.Steps, c, h, w)
	}
	most := 1
	if s.Kind == Counts {
		for _, n := range stack {
			most = max(most, int(n))
		}
	}
	shade := func(n byte) int { return (int(n)*shades + most - 1) / most }
	var list []*image.Paletted
	for t := range s.Steps {
		step := stack[t*c*h*w:]
		m := image.NewPaletted(image.Rect(0, 0, w*scale, h*scale), palette)
		for y := range h * scale {
			for x := range w * scale {
				at := y/scale*w + x/scale
				on, off := step[at], byte(0)
				switch {
				case s.Kind != Ternary:
					off = step[h*w+at]
				case on == 255: // -1
					on, off = 0, 1
				}
				index := 0
				switch {
				case on > 0 && off > 0:
					index = 2*shades + shade(max(on, off))
				case on > 0:
					index = shade(on)
				case off > 0:
					index = shades + shade(off)
				}
				m.SetColorIndex(x, y, uint8(index))
			}
		}
		list = append(list, m)
	}
	return list, nil
}

// WriteGIF shows frames one after another, for ever, each for so many hundredths
// of a second.
func WriteGIF(w io.Writer, frames []*image.Paletted, delay int) error {
	g := &gif.GIF{}
	for _, m := range frames {
		g.Image, g.Delay = append(g.Image, m), append(g.Delay, delay)
	}
	return gif.EncodeAll(w, g)
}

// WritePNG shows frames side by side, at most so many in a row.
func WritePNG(w io.Writer, frames []*image.Paletted, columns int) error {
	const between = 2
	if len(frames) == 0 || columns < 1 {
		return fmt.Errorf("pictures: %d frames in rows of %d", len(frames), columns)
	}
	columns = min(columns, len(frames))
	rows := (len(frames) + columns - 1) / columns
	size := frames[0].Bounds().Size()
	sheet := image.NewPaletted(image.Rect(0, 0, columns*(size.X+between)-between, rows*(size.Y+between)-between), palette)
	for i := range sheet.Pix {
		sheet.Pix[i] = gap
	}
	for i, m := range frames {
		left, top := i%columns*(size.X+between), i/columns*(size.Y+between)
		for y := range size.Y {
			copy(sheet.Pix[(top+y)*sheet.Stride+left:][:size.X], m.Pix[y*m.Stride:][:size.X])
		}
	}
	return png.Encode(w, sheet)
}
