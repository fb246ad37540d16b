package main

import (
	"context"
	"errors"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
)

// holding is what is known of one data set.
type holding struct {
	Name    string   `json:"name"`
	Found   bool     `json:"found"`
	Where   string   `json:"where,omitempty"`
	Train   int      `json:"train,omitempty"`
	Test    int      `json:"test,omitempty"`
	Shape   []int    `json:"shape,omitempty"`
	Sensor  []int    `json:"sensor,omitempty"` // of recordings of events: width, height
	Classes []string `json:"classes,omitempty"`
	Advice  string   `json:"advice,omitempty"`
}

func dataInfo(c *cli.Context) error {
	if c.NArg() > 1 {
		return usagef("data info: name one data set or none; choose one of %s", strings.Join(append(data.Names(), data.EventNames()...), ", "))
	}
	o := newConsole(c)
	if name := c.Args().First(); name != "" {
		h, err := examine(c.Context, name, c.String("dir"))
		if err != nil {
			return err
		}
		h.print(o)
		return o.object(h)
	}
	list := []holding{}
	for _, name := range append(data.Names(), data.EventNames()...) {
		h, err := examine(c.Context, name, c.String("dir"))
		switch {
		case errors.Is(err, data.ErrNotFound), errors.Is(err, data.ErrFormat):
			h = holding{Name: name, Advice: err.Error()}
		case err != nil:
			return err
		}
		h.print(o)
		list = append(list, h)
	}
	return o.object(map[string]any{"sets": list})
}

// examine reads both splits of a data set.
func examine(ctx context.Context, name, dir string) (holding, error) {
	if data.IsEvents(name) {
		return examineEvents(ctx, name, dir)
	}
	where, err := data.Locate(name, dir, data.Train)
	if err != nil {
		return holding{}, err
	}
	train, err := data.Open(ctx, name, dir, data.Train)
	if err != nil {
		return holding{}, err
	}
	test, err := data.Open(ctx, name, dir, data.Test)
	if err != nil {
		return holding{}, err
	}
	channels, height, width := train.Shape()
	return holding{
		Name: name, Found: true, Where: where, Train: train.Len(), Test: test.Len(),
		Shape: []int{channels, height, width}, Classes: train.Classes(),
	}, nil
}

// examineEvents lists both splits of a set of recordings; its files are not read,
// but for one of each.
func examineEvents(ctx context.Context, name, dir string) (holding, error) {
	train, err := data.OpenEvents(ctx, name, dir, data.Train, data.EventOptions{})
	if err != nil {
		return holding{}, err
	}
	test, err := data.OpenEvents(ctx, name, dir, data.Test, data.EventOptions{})
	if err != nil {
		return holding{}, err
	}
	o := train.Options()
	return holding{
		Name: name, Found: true, Where: train.Folder(), Train: train.Len(), Test: test.Len(),
		Sensor: []int{o.Width, o.Height}, Classes: train.Classes(),
	}, nil
}

func (h holding) print(o *console) {
	if !h.Found {
		o.printf("%-15s  not found: %s\n", h.Name, strings.TrimPrefix(h.Advice, h.Name+": "))
		return
	}
	o.printf("%-15s  %s\n", h.Name, h.Where)
	if h.Sensor != nil {
		o.printf("%-15s  %s training and %s test recordings of %d x %d pixels, %d classes: %s\n", "",
			thousands(h.Train), thousands(h.Test), h.Sensor[0], h.Sensor[1], len(h.Classes), few(h.Classes))
		return
	}
	o.printf("%-15s  %s training and %s test images of %d x %d x %d, %d classes: %s\n", "",
		thousands(h.Train), thousands(h.Test), h.Shape[0], h.Shape[1], h.Shape[2], len(h.Classes), few(h.Classes))
}

// few names at most ten classes.
func few(classes []string) string {
	if len(classes) > 10 {
		return strings.Join(classes[:10], ", ") + ", ..."
	}
	return strings.Join(classes, ", ")
}
