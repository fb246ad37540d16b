// Package picture turns image files into the pixels that a model takes.
package picture

import (
	"errors"
	"fmt"
	"image"
	_ "image/gif" // the formats that Open reads
	_ "image/jpeg"
	_ "image/png"
	"os"
)

// ErrFormat is wrapped by errors about files that are no picture.
var ErrFormat = errors.New("not a PNG, JPEG or GIF picture")

// Picture is an image as planes of values in 0..1, in the order channel, row,
// column.
type Picture struct {
	Channels, Height, Width int
	Pixels                  []float32
}

// Open reads a picture with one channel, its grey, or three: red, green and blue.
// What is transparent becomes black.
func Open(path string, channels int) (Picture, error) {
	f, err := os.Open(path)
	if err != nil {
		return Picture{}, err
	}
	defer f.Close()
	m, _, err := image.Decode(f)
	if err != nil {
		return Picture{}, fmt.Errorf("%s: %w: %w", path, ErrFormat, err)
	}
	return FromImage(m, channels)
}

// FromImage takes the pixels of an image.
func FromImage(m image.Image, channels int) (Picture, error) {
	bounds := m.Bounds()
	p := Picture{Channels: channels, Height: bounds.Dy(), Width: bounds.Dx()}
	if channels != 1 && channels != 3 {
		return Picture{}, fmt.Errorf("pictures have 1 or 3 channels, the model takes %d", channels)
	}
	if bounds.Empty() {
		return Picture{}, fmt.Errorf("%w: it has no pixels", ErrFormat)
	}
	plane := p.Height * p.Width
	p.Pixels = make([]float32, channels*plane)
	for y := range p.Height {
		for x := range p.Width {
			r, g, b, _ := m.At(bounds.Min.X+x, bounds.Min.Y+y).RGBA()
			i := y*p.Width + x
			if channels == 1 {
				p.Pixels[i] = scaled(299*r+587*g+114*b, 1000) // luma of BT.601
				continue
			}
			p.Pixels[i], p.Pixels[plane+i], p.Pixels[2*plane+i] = scaled(r, 1), scaled(g, 1), scaled(b, 1)
		}
	}
	return p, nil
}

// scaled brings a 16-bit value times a weight to 0..1.
func scaled(value, weight uint32) float32 {
	return float32(float64(value) / float64(weight*0xffff))
}

// Invert exchanges dark and light.
func (p Picture) Invert() {
	for i, v := range p.Pixels {
		p.Pixels[i] = 1 - v
	}
}
