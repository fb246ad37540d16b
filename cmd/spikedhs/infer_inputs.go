package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/cmd/spikedhs/internal/picture"
	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// pictures reads image files and makes them as large as the model wants them.
func pictures(paths []string, info classify.ModelInfo, invert bool) ([]*inferred, error) {
	var list []*inferred
	for _, path := range paths {
		p, err := picture.Open(path, info.Channels)
		if errors.Is(err, picture.ErrFormat) {
			return nil, usagef("%v", err)
		}
		if err != nil {
			return nil, existing(err)
		}
		image := &inferred{Image: path}
		if p.Height != info.Height || p.Width != info.Width {
			image.Note = fmt.Sprintf("resized from %dx%d to %dx%d", p.Width, p.Height, info.Width, info.Height)
			p = p.Resize(info.Height, info.Width)
		}
		if invert {
			p.Invert()
		}
		image.pixels = p.Pixels
		list = append(list, image)
	}
	return list, nil
}

// testImages takes images of a data set's test split.
func testImages(c *cli.Context, name, index string, info classify.ModelInfo) ([]*inferred, error) {
	if data.IsEvents(name) {
		return nil, usagef("infer: %s has recordings of events, the model takes images (it was trained on %s)", name, info.Dataset)
	}
	set, err := data.OpenWith(c.Context, name, c.String("data"), data.Test, data.OpenOptions{Size: info.Height})
	if err != nil {
		return nil, err
	}
	channels, height, width := set.Shape()
	if channels != info.Channels || height != info.Height || width != info.Width {
		return nil, usagef("infer: images of %s are %d x %d x %d, the model takes %d x %d x %d (it was trained on %s)",
			name, channels, height, width, info.Channels, info.Height, info.Width, info.Dataset)
	}
	numbers, err := indices(index, set.Len())
	if err != nil {
		return nil, err
	}
	var list []*inferred
	bytes := make([]byte, channels*height*width)
	for _, i := range numbers {
		label, err := set.Image(i, bytes)
		if err != nil {
			return nil, err
		}
		image := &inferred{Image: fmt.Sprintf("%s test %d", name, i), Label: set.Classes()[label]}
		for _, b := range bytes {
			v := float32(b) / 255
			if c.Bool("invert") {
				v = 1 - v
			}
			image.pixels = append(image.pixels, v)
		}
		list = append(list, image)
	}
	return list, nil
}

// indices reads a list such as 0,3,10-19 of numbers below n.
func indices(text string, n int) ([]int, error) {
	var list []int
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		a, err := strconv.Atoi(first)
		b, err2 := strconv.Atoi(last)
		switch {
		case err != nil || err2 != nil || a > b:
			return nil, usagef("--index %s: want numbers and ranges such as 7 or 0,3,10-19", text)
		case b >= n:
			return nil, usagef("--index %s: there are %d test images, numbered from 0", text, n)
		}
		for i := a; i <= b; i++ {
			list = append(list, i)
		}
	}
	return list, nil
}
