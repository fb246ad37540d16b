package main

import (
	"errors"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/events"
	"github.com/spikedhs/spikedhs/train/run"
)

func previewFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "output", Usage: "`FILE` to write, .png (steps side by side) or .gif (one after another); default: the recording's name with .png"},
		&cli.IntFlag{Name: "steps", Value: 6, Usage: "cut into `T` time steps", Action: atLeast("steps", 1)},
		&cli.StringFlag{Name: "events", Value: "time", Usage: "`HOW` to cut: time or count", Action: oneOf("events", "time", "count")},
		&cli.StringFlag{Name: "stack", Value: "binary", Usage: "`WHAT` a step holds: binary, counts or ternary", Action: oneOf("stack", "binary", "counts", "ternary")},
		&cli.IntFlag{Name: "size", Usage: "bin and cut or pad to `N` pixels a side (default: the sensor's own)", Action: atLeast("size", 0)},
		&cli.StringFlag{Name: "dataset", Usage: "data set `NAME` that the recording is of, for the sensor's size and orientation", Action: oneOf("dataset", data.EventNames()...)},
		&cli.IntSliceFlag{Name: "sensor", Usage: "sensor's `SIDE` in pixels; give it twice, width and height"},
		&cli.StringFlag{Name: "columns", Value: "auto", Usage: "`ORDER` of columns in .npy and .txt: auto, xytp or txyp", Action: oneOf("columns", "auto", "xytp", "txyp")},
		&cli.IntFlag{Name: "scale", Value: 4, Usage: "a pixel becomes `N` x N", Action: atLeast("scale", 1)},
	}
}

// dataPreview draws the time steps of a recording: ON green, OFF red.
func dataPreview(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("data preview: name one recording; files of the kinds %s are read", strings.Join(events.Extensions(), ", "))
	}
	path := c.Args().First()
	o := newConsole(c)
	reading := data.EventReading(c.String("dataset"))
	reading.Columns = c.String("columns")
	if sides := c.IntSlice("sensor"); len(sides) == 2 && sides[0] > 0 && sides[1] > 0 {
		reading.Width, reading.Height = sides[0], sides[1]
	} else if len(sides) > 0 {
		return usagef("data preview: --sensor is to be given twice, width and height")
	}
	r, err := events.Open(path, reading)
	if errors.Is(err, events.ErrFormat) {
		return usagef("%v", err)
	}
	if err != nil {
		return existing(err)
	}
	s := events.Stacks{
		Steps: c.Int("steps"), Slice: events.Slicing(c.String("events")), Kind: events.Kind(c.String("stack")), Size: c.Int("size"),
	}
	if err := s.Validate(); err != nil {
		return usagef("data preview: %v", err)
	}
	channels, h, w := s.Shape(r.Width, r.Height)
	if s.Steps*h*w*c.Int("scale")*c.Int("scale") > 1<<28 {
		return usagef("data preview: %d steps of %d x %d pixels, each %[4]d x %[4]d, are too large a picture; choose a smaller --scale, --size or --steps",
			s.Steps, w, h, c.Int("scale"))
	}
	stack := make([]byte, s.Steps*channels*h*w)
	if err := s.Make(stack, r); err != nil {
		return err
	}
	frames, err := s.Pictures(stack, r.Width, r.Height, c.Int("scale"))
	if err != nil {
		return err
	}
	output := c.String("output")
	if output == "" {
		output = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) + ".png"
	}
	if err := writePreview(output, frames); err != nil {
		return err
	}
	on := 0
	for _, e := range r.Events {
		if e.P > 0 {
			on++
		}
	}
	sensor := fmt.Sprintf("%d x %d pixels", r.Width, r.Height)
	if !r.Declared {
		sensor += " (as far as its events reach)"
	}
	o.printf("%s: %s events (%s ON, %s OFF) in %.1f ms, %s\n", path, thousands(len(r.Events)), thousands(on),
		thousands(len(r.Events)-on), float64(r.Duration())/1000, sensor)
	if r.Problems.Any() {
		o.printf("put right: %v\n", r.Problems)
	}
	o.printf("%s: %d time steps of %d x %d pixels, ON green, OFF red\n", output, s.Steps, w, h)
	return o.object(map[string]any{
		"recording": path, "events": len(r.Events), "on": on, "microseconds": r.Duration(),
		"sensor": []int{r.Width, r.Height}, "problems": r.Problems, "output": output, "steps": s.Steps,
	})
}

func writePreview(path string, frames []*image.Paletted) error {
	const columns, delay = 8, 30
	var write func(io.Writer) error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".png":
		write = func(w io.Writer) error { return events.WritePNG(w, frames, columns) }
	case ".gif":
		write = func(w io.Writer) error { return events.WriteGIF(w, frames, delay) }
	default:
		return usagef("data preview: --output %s: choose a name that ends in .png or .gif", path)
	}
	return run.WriteFileAtomic(path, write)
}
