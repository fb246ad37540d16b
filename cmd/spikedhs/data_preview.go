package main

import (
	"errors"
	"io"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/events"
	"github.com/spikedhs/spikedhs/train/run"
)

func dataPreviewCommand() *cli.Command {
	dataset := datasetFlag("of the recording, for the sensor's size and orientation")
	dataset.Action = oneOf("dataset", data.EventNames()...)
	return &cli.Command{
		Name:      "preview",
		Usage:     "draw the time steps of a recording of events",
		ArgsUsage: "FILE",
		Flags: reporting(
			outFlag("a .png has the steps side by side, a .gif one after another; without it the recording's name with .png", ""),
			stepsFlag("", "6"),
			choice("slicing", "`HOW` to cut into time steps", "time", "count"),
			choice("stack", "`WHAT` a step holds", "binary", "counts", "ternary"),
			sizeFlag("side in pixels to bin and cut or pad to", "the sensor's own"),
			dataset, sensorFlag(),
			choice("columns", "`ORDER` of columns in .npy and .txt", "auto", "xytp", "txyp"),
			zoomFlag(4),
		),
		Action: dataPreview,
	}
}

func zoomFlag(otherwise int) cli.Flag {
	return whole("zoom", "`N` x N pixels of the picture for each", 1, otherwise)
}

// dataPreview draws the time steps of a recording: ON green, OFF red.
func dataPreview(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("data preview: name one recording; files of the kinds %s are read", strings.Join(events.Extensions(), ", "))
	}
	path, zoom := c.Args().First(), c.Int("zoom")
	o := newConsole(c)
	reading := data.EventReading(c.String("dataset"))
	reading.Columns = c.String("columns")
	if width, height := sensorOf(c); width > 0 {
		reading.Width, reading.Height = width, height
	}
	r, err := events.Open(path, reading)
	if errors.Is(err, events.ErrFormat) {
		return usagef("%v", err)
	}
	if err != nil {
		return existing(err)
	}
	s := events.Stacks{Slice: events.Slicing(c.String("slicing")), Kind: events.Kind(c.String("stack")), Steps: 6}
	if err := singles(c, single{"steps", &s.Steps}, single{"size", &s.Size}); err != nil {
		return err
	}
	if err := s.Validate(); err != nil {
		return usagef("data preview: %v", err)
	}
	channels, h, w := s.Shape(r.Width, r.Height)
	if s.Steps*h*w*zoom*zoom > 1<<28 {
		return usagef("data preview: %d steps of %d x %d pixels, each %[4]d x %[4]d, are too large a picture; choose a smaller --zoom, --size or --steps",
			s.Steps, w, h, zoom)
	}
	stack := make([]byte, s.Steps*channels*h*w)
	if err := s.Make(stack, r); err != nil {
		return err
	}
	frames, err := s.Pictures(stack, r.Width, r.Height, zoom)
	if err != nil {
		return err
	}
	out := c.String("out")
	if out == "" {
		out = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) + ".png"
	}
	const columns, delay = 8, 30
	err = writePictures(out, func(w io.Writer) error { return events.WritePNG(w, frames, columns) },
		func(w io.Writer) error { return events.WriteGIF(w, frames, delay) })
	if err != nil {
		return err
	}
	on := 0
	for _, e := range r.Events {
		if e.P > 0 {
			on++
		}
	}
	declared := ""
	if !r.Declared {
		declared = " (as far as its events reach)"
	}
	o.printf("%s: %s events (%s ON, %s OFF) in %.1f ms, %d x %d pixels%s\n", path, thousands(len(r.Events)), thousands(on),
		thousands(len(r.Events)-on), float64(r.Duration())/1000, r.Width, r.Height, declared)
	if r.Problems.Any() {
		o.printf("put right: %v\n", r.Problems)
	}
	o.printf("%s: %d time steps of %d x %d pixels, ON green, OFF red\n", out, s.Steps, w, h)
	return o.object(map[string]any{
		"recording": path, "events": len(r.Events), "on": on, "microseconds": r.Duration(),
		"sensor": []int{r.Width, r.Height}, "problems": r.Problems, "output": out, "steps": s.Steps,
	})
}

// writePictures writes a file as its ending says.
func writePictures(path string, png, gif func(io.Writer) error) error {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".png":
		return run.WriteFileAtomic(path, png)
	case ".gif":
		return run.WriteFileAtomic(path, gif)
	}
	return usagef("--out %s: choose a name that ends in .png or .gif", path)
}
