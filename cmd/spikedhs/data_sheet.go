package main

import (
	"image"
	"image/color"
	"image/png"
	"io"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/train/run"
)

// writeSheet draws images of a set, spread evenly over it, into a PNG file, row by row.
func writeSheet(path string, set data.Dataset) error {
	const columns, rows, gap = 8, 6, 4 // pixels between images
	c, h, w := set.Shape()
	n := min(columns*rows, set.Len())
	sheet := image.NewRGBA(image.Rect(0, 0, columns*(w+gap)-gap, (n+columns-1)/columns*(h+gap)-gap))
	for i := range sheet.Pix {
		sheet.Pix[i] = 255
	}
	pixels := make([]byte, c*h*w)
	for k := range n {
		if _, err := set.Image(k*set.Len()/n, pixels); err != nil {
			return err
		}
		left, top := k%columns*(w+gap), k/columns*(h+gap)
		for i := range h * w {
			r := pixels[i]
			g, b := r, r
			if c == 3 {
				g, b = pixels[h*w+i], pixels[2*h*w+i]
			}
			sheet.SetRGBA(left+i%w, top+i/w, color.RGBA{r, g, b, 255})
		}
	}
	return existing(run.WriteFileAtomic(path, func(w io.Writer) error { return png.Encode(w, sheet) }))
}
