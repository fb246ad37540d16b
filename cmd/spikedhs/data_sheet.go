package main

import (
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"

	"github.com/spikedhs/spikedhs/data"
)

const (
	sheetColumns = 8
	sheetRows    = 6
	sheetGap     = 4 // pixels between images
)

// writeSheet draws images of a set, spread evenly over it, into a PNG file, row by row.
func writeSheet(path string, set data.Dataset) (err error) {
	c, h, w := set.Shape()
	n := min(sheetColumns*sheetRows, set.Len())
	sheet := image.NewRGBA(image.Rect(0, 0, sheetColumns*(w+sheetGap)-sheetGap, (n+sheetColumns-1)/sheetColumns*(h+sheetGap)-sheetGap))
	for i := range sheet.Pix {
		sheet.Pix[i] = 255
	}
	pixels := make([]byte, c*h*w)
	for k := range n {
		if _, err := set.Image(k*set.Len()/n, pixels); err != nil {
			return err
		}
		left, top := k%sheetColumns*(w+sheetGap), k/sheetColumns*(h+sheetGap)
		for i := range h * w {
			r := pixels[i]
			g, b := r, r
			if c == 3 {
				g, b = pixels[h*w+i], pixels[2*h*w+i]
			}
			sheet.SetRGBA(left+i%w, top+i/w, color.RGBA{r, g, b, 255})
		}
	}
	file, err := os.Create(path)
	if err != nil {
		return existing(err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return png.Encode(file, sheet)
}
