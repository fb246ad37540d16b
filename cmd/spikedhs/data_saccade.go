package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/events"
)

func dataSaccadeCommand() *cli.Command {
	return command("saccade", "make recordings of an event camera from images", dataSaccade, reporting(
		datasetFlag("images (required)"), dirFlag(usualPlaces),
		outFlag("folder for Train and Test (required)", ""),
		whole("train", "`N` training images, a seeded subset", 1, 0, "all"),
		whole("test", "`N` test images, a seeded subset", 1, 0, "all"),
		seedFlag(1),
		above("threshold", "change of log brightness `C` that makes an event", events.NMNISTSaccade().Threshold),
	))
}

// dataSaccade makes recordings of an event camera from images.
func dataSaccade(c *cli.Context) error {
	from, err := required(c, "dataset")
	if err != nil {
		return err
	}
	out, err := required(c, "out")
	if err != nil {
		return err
	}
	o := newConsole(c)
	s := events.NMNISTSaccade()
	s.Threshold = c.Float64("threshold")
	counts := map[data.Split]int{}
	for _, split := range []data.Split{data.Train, data.Test} {
		set, err := data.Open(c.Context, from, c.String("dir"), split)
		if limit := c.Int(split.String()); err == nil && limit > 0 {
			set, err = data.Take(set, limit, uint64(c.Int64("seed")))
		}
		if err != nil {
			return err
		}
		_, h, w := set.Shape()
		if h > s.Side || w > s.Side {
			s.Side = max(h, w) + 6 // as large a margin as N-MNIST's
		}
		counts[split] = set.Len()
		o.progress.Start(split.String(), "images", set.Len(), 0)
		err = data.WriteSaccades(c.Context, set, out, split, s, func() { o.progress.Add(1, "") })
		if errors.Is(err, os.ErrExist) {
			err = usagef("data %v", err)
		}
		if o.ended(err, "") != nil {
			return err
		}
	}
	o.printf("%s: recordings of %s training and %s test images of %s, %d x %d pixels, %d ms each\n", out,
		thousands(counts[data.Train]), thousands(counts[data.Test]), from, s.Side, s.Side, int64(len(s.Corners))*s.Microseconds/1000)
	o.printf("next: spikedhs train --config n-mnist --set data.name=event-folder --set data.path=%s --sensor %dx%[2]d\n",
		filepath.Clean(out), s.Side)
	return o.object(map[string]any{
		"out": out, "from": from, "train": counts[data.Train], "test": counts[data.Test], "sensor": []int{s.Side, s.Side},
	})
}
