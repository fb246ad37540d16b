package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data/events"
	"github.com/spikedhs/spikedhs/data/stereo"
)

func dataPreviewStereo(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("data preview-stereo: name one folder of sequences or one recording")
	}
	out, limit := c.String("out"), c.Int("frames")
	switch strings.ToLower(filepath.Ext(out)) {
	case ".png":
		limit = 1
	case ".gif":
	default:
		return writePictures(out, nil, nil) // which says what is wrong
	}
	o := newConsole(c)
	options := stereo.RecordingOptions{}
	options.Width, options.Height = sensorOf(c)
	next, done, err := previewSteps(c.Context, o, c.Args().First(), c.String("sequence"), options, c.Int("first"), limit)
	if err != nil {
		return err
	}
	defer done()
	largest := c.Float64("max-disparity")
	var pictures []*image.RGBA
	for len(pictures) < limit {
		step, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if largest == 0 && step.Label != nil {
			for _, d := range step.Label {
				if d := float64(d); d < 1e9 {
					largest = max(largest, d)
				}
			}
		}
		pictures = append(pictures, step.Picture(largest, c.Int("zoom")))
	}
	if len(pictures) == 0 {
		return usagef("data preview-stereo: no frame from --first %d on", c.Int("first"))
	}
	const delay = 5 // hundredths of a second
	err = writePictures(out, func(w io.Writer) error { return png.Encode(w, pictures[0]) }, func(w io.Writer) error {
		var frames []*image.Paletted
		for _, p := range pictures {
			frames = append(frames, stereo.Paletted(p))
		}
		return events.WriteGIF(w, frames, delay)
	})
	if err != nil {
		return err
	}
	o.printf("%s: %d frames, %s\n", out, len(pictures), size(out))
	return o.object(map[string]any{"file": out, "frames": len(pictures), "max_disparity": largest})
}

// previewSteps are the steps of a sequence of a data set, or of a recording.
func previewSteps(ctx context.Context, o *console, path, sequence string, options stereo.RecordingOptions, first, limit int) (next func() (*stereo.Step, error), done func(), err error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		recording, err := stereo.ReadRecording(path, options)
		if err != nil {
			return nil, nil, err
		}
		if !recording.Counts.Clean() {
			o.log.Warn("bad data in the recording; wrong events are left out", recording.Counts.LogArgs()...)
		}
		steps, err := recording.Steps(stereo.Binning{}, 0)
		if err != nil {
			return nil, nil, err
		}
		next := func() (*stereo.Step, error) {
			step, _, err := steps.Next()
			return step, err
		}
		for range first {
			if _, err := next(); err != nil {
				break
			}
		}
		return next, func() {}, nil
	}
	set, err := stereo.Open(path, stereo.Options{Log: o.log, Cache: "none"})
	if err != nil {
		return nil, nil, err
	}
	if sequence == "" {
		sequence = set.Sequences()[0]
	}
	frames, err := set.Frames(sequence)
	if err != nil {
		return nil, nil, err
	}
	frames = frames[min(first, len(frames)):]
	stream, err := set.Stream(ctx, frames[:min(limit, len(frames))], 0)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", sequence, err)
	}
	return stream.Next, stream.Close, nil
}
