package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/train/run"
)

func dataPreviewStereo(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("data preview-stereo: name one folder of sequences or one recording")
	}
	out := c.String("out")
	moving := filepath.Ext(out) == ".gif"
	if !moving && filepath.Ext(out) != ".png" {
		return usagef("--out %s: choose a name that ends in .gif or .png", out)
	}
	o := newConsole(c)
	limit := c.Int("frames")
	if !moving {
		limit = 1
	}
	next, done, err := previewSteps(c.Context, o, c.Args().First(), c.String("sequence"), c.Int("first"), limit)
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
	err = run.WriteFileAtomic(out, func(w io.Writer) error {
		if !moving {
			return png.Encode(w, pictures[0])
		}
		g := &gif.GIF{}
		for _, p := range pictures {
			g.Image = append(g.Image, stereo.Paletted(p))
			g.Delay = append(g.Delay, 5) // hundredths of a second
		}
		return gif.EncodeAll(w, g)
	})
	if err != nil {
		return err
	}
	o.printf("%s: %d frames, %s\n", out, len(pictures), size(out))
	return o.object(map[string]any{"file": out, "frames": len(pictures), "max_disparity": largest})
}

// previewSteps are the steps of a sequence of a data set, or of a recording.
func previewSteps(ctx context.Context, o *console, path, sequence string, first, limit int) (next func() (*stereo.Step, error), done func(), err error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		recording, err := stereo.ReadRecording(path, stereo.RecordingOptions{})
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
