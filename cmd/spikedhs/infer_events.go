package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// recordings reads files of events and makes the stacks that the model takes.
func recordings(paths []string, info classify.ModelInfo) ([]*inferred, error) {
	o, err := info.EventOptions()
	if err != nil {
		return nil, err
	}
	levels := o.Kind.Levels()
	var list []*inferred
	for _, path := range paths {
		stack, err := data.StackFile(path, info.Dataset, o)
		if errors.Is(err, data.ErrFormat) {
			return nil, usagef("%v", err)
		}
		if err != nil {
			return nil, existing(err)
		}
		list = append(list, &inferred{Image: path, pixels: values(stack, levels)})
	}
	return list, nil
}

// values are what the bytes of a stack stand for.
func values(stack []byte, levels *[256]float32) []float32 {
	list := make([]float32, len(stack))
	for i, b := range stack {
		list[i] = levels[b]
	}
	return list
}

// testRecordings takes recordings of a data set's test split.
func testRecordings(c *cli.Context, name, index string, info classify.ModelInfo) ([]*inferred, error) {
	if !data.IsEvents(name) {
		return nil, usagef("infer: %s has images, the model takes recordings of events (it was trained on %s)", name, info.Dataset)
	}
	o, err := info.EventOptions()
	if err != nil {
		return nil, err
	}
	set, err := data.OpenEvents(c.Context, name, c.String("data"), data.Test, o)
	if err != nil {
		return nil, err
	}
	numbers, err := indices(index, set.Len())
	if err != nil {
		return nil, err
	}
	channels, h, w := set.Shape()
	if channels != info.Steps*info.Channels || h != info.Height || w != info.Width {
		return nil, usagef("infer: stacks of %s are %d x %d x %d a step, the model takes %d x %d x %d (it was trained on %s)",
			name, channels/info.Steps, h, w, info.Channels, info.Height, info.Width, info.Dataset)
	}
	var list []*inferred
	stack := make([]byte, channels*h*w)
	for _, i := range numbers {
		label, err := set.Image(i, stack)
		if err != nil {
			return nil, err
		}
		list = append(list, &inferred{
			Image: fmt.Sprintf("%s test %d", name, i), Label: set.Classes()[label], pixels: values(stack, set.Levels()),
		})
	}
	return list, nil
}
