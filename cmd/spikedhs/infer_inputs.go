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

// inputs are the images or recordings of events that the command line names.
func inputs(c *cli.Context, info classify.ModelInfo) ([]*inferred, error) {
	if info.Events != nil && c.Bool("invert") {
		return nil, usagef("infer: --invert is for images; the model takes recordings of events")
	}
	dataset, index := c.String("dataset") != "", c.String("index") != ""
	switch {
	case dataset && index && !c.Args().Present():
		return testInputs(c, info)
	case dataset || index || !c.Args().Present():
		return nil, usagef("infer: give either images or --dataset and --index; see spikedhs infer --help")
	}
	var list []*inferred
	for _, path := range c.Args().Slice() {
		read := readPicture
		if info.Events != nil {
			read = readRecording
		}
		one, err := read(c, path, info)
		if errors.Is(err, picture.ErrFormat) || errors.Is(err, data.ErrFormat) {
			return nil, usagef("%v", err)
		}
		if err != nil {
			return nil, existing(err)
		}
		list = append(list, one)
	}
	return list, nil
}

// readPicture reads an image file and makes it as large as the model wants it.
func readPicture(c *cli.Context, path string, info classify.ModelInfo) (*inferred, error) {
	p, err := picture.Open(path, info.Channels)
	if err != nil {
		return nil, err
	}
	image := &inferred{Image: path}
	if p.Height != info.Height || p.Width != info.Width {
		image.Note = fmt.Sprintf("resized from %dx%d to %dx%d", p.Width, p.Height, info.Width, info.Height)
		p = p.Resize(info.Height, info.Width)
	}
	if c.Bool("invert") {
		p.Invert()
	}
	image.pixels = p.Pixels
	return image, nil
}

// readRecording reads a file of events and makes the stack that the model takes.
func readRecording(c *cli.Context, path string, info classify.ModelInfo) (*inferred, error) {
	o, err := eventOptions(c, info)
	if err != nil {
		return nil, err
	}
	stack, err := data.StackFile(path, info.Dataset, o)
	if err != nil {
		return nil, err
	}
	return &inferred{Image: path, pixels: values(stack, o.Kind.Levels())}, nil
}

// eventOptions are those of a model, for a sensor of --sensor where that is given.
func eventOptions(c *cli.Context, info classify.ModelInfo) (data.EventOptions, error) {
	o, err := info.EventOptions()
	if width, height := sensorOf(c); width > 0 {
		o.Width, o.Height = width, height
	}
	return o, err
}

// values are what the bytes of an image or a stack stand for.
func values(bytes []byte, levels *[256]float32) []float32 {
	list := make([]float32, len(bytes))
	for i, b := range bytes {
		list[i] = levels[b]
	}
	return list
}

// testInputs takes examples of the test split of --dataset.
func testInputs(c *cli.Context, info classify.ModelInfo) ([]*inferred, error) {
	name, dir, events := c.String("dataset"), c.String("dir"), info.Events != nil
	kinds := map[bool]string{false: "images", true: "recordings of events"}
	if data.IsEvents(name) != events {
		return nil, usagef("infer: %s has %s, the model takes %s (it was trained on %s)", name, kinds[!events], kinds[events], info.Dataset)
	}
	set, levels, err := testSet(c, info, name, dir)
	if err != nil {
		return nil, err
	}
	steps, what, each := 1, "images", ""
	if events {
		steps, what, each = info.Steps, "stacks", " a step"
	}
	channels, height, width := set.Shape()
	if channels != steps*info.Channels || height != info.Height || width != info.Width {
		return nil, usagef("infer: %s of %s are %d x %d x %d%s, the model takes %d x %d x %d (it was trained on %s)",
			what, name, channels/steps, height, width, each, info.Channels, info.Height, info.Width, info.Dataset)
	}
	numbers, err := indices(c.String("index"), set.Len())
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
		list = append(list, &inferred{
			Image: fmt.Sprintf("%s test %d", name, i), Label: set.Classes()[label], pixels: values(bytes, levels),
		})
	}
	return list, nil
}

// testSet opens a test split as a model takes it; levels are what its bytes stand for.
func testSet(c *cli.Context, info classify.ModelInfo, name, dir string) (set data.Dataset, levels *[256]float32, err error) {
	if info.Events != nil {
		o, err := eventOptions(c, info)
		if err != nil {
			return nil, nil, err
		}
		recordings, err := data.OpenEvents(c.Context, name, dir, data.Test, o)
		if err != nil {
			return nil, nil, err
		}
		return recordings, recordings.Levels(), nil
	}
	levels = new([256]float32)
	for b := range levels {
		levels[b] = float32(b) / 255
		if c.Bool("invert") {
			levels[b] = 1 - levels[b]
		}
	}
	set, err = data.OpenWith(c.Context, name, dir, data.Test, data.OpenOptions{Size: info.Height})
	return set, levels, err
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
