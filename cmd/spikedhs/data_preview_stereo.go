package main

import (
	"errors"
	"image"
	"image/png"
	"io"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data/events"
	"github.com/spikedhs/spikedhs/data/stereo"
)

func dataPreviewPairCommand() *cli.Command {
	return &cli.Command{
		Name:      "preview-stereo",
		Usage:     "draw events of both views and disparity",
		ArgsUsage: "DIR|FILE",
		Flags: reporting(
			text("sequence", "`NAME` of the sequence", "the first"),
			whole("first", "first frame `N`", 0, 0),
			framesFlag("at most"), zoomFlag(2), sensorFlag(), maxDisparityFlag("the largest label of the first frame"),
			outFlag("a .gif moves, a .png has the first frame", "preview.gif"),
		),
		Action: dataPreviewStereo,
	}
}

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
	source, err := openEvents(c, o, filepath.Join(c.Args().First(), c.String("sequence")), stereo.Binning{})
	if err != nil {
		return err
	}
	defer source.Close()
	largest := c.Float64("max-disparity")
	var pictures []*image.RGBA
	var sequence string
	for i := 0; len(pictures) < limit; i++ {
		step, _, err := source.Next()
		if errors.Is(err, io.EOF) || err == nil && i > 0 && step.Frame.Sequence != sequence {
			break
		}
		if err != nil {
			return err
		}
		if sequence = step.Frame.Sequence; i < c.Int("first") {
			continue
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
	if source.Wrong() > 0 {
		o.log.Warn("bad data in the recording; wrong events are left out", "events", source.Wrong())
	}
	o.printf("%s: %d frames, %s\n", out, len(pictures), size(out))
	return o.object(map[string]any{"file": out, "frames": len(pictures), "max_disparity": largest})
}
