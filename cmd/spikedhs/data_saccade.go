package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/events"
)

func saccadeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "from", Usage: "data set of images `NAME` (required)"},
		&cli.StringFlag{Name: "data", Usage: "folder `DIR` of the images instead of the usual places"},
		&cli.StringFlag{Name: "out", Usage: "folder `DIR` to write Train and Test into (required)"},
		&cli.IntFlag{Name: "train", Usage: "`N` training images, a seeded subset (default: all)", Action: atLeast("train", 1)},
		&cli.IntFlag{Name: "test", Usage: "`N` test images, a seeded subset (default: all)", Action: atLeast("test", 1)},
		&cli.Int64Flag{Name: "seed", Value: 1, Usage: "`N` that draws the subsets", Action: atLeast[int64]("seed", 0)},
		&cli.Float64Flag{Name: "threshold", Value: events.NMNISTSaccade().Threshold, Usage: "change of log brightness `C` that makes an event"},
	}
}

// dataSaccade makes recordings of an event camera from images.
func dataSaccade(c *cli.Context) error {
	from, err := required(c, "from")
	if err != nil {
		return err
	}
	out, err := required(c, "out")
	if err != nil {
		return err
	}
	o := newConsole(c)
	s := events.NMNISTSaccade()
	if s.Threshold = c.Float64("threshold"); !(s.Threshold > 0) {
		return usagef("data saccade: --threshold %g: choose a number above 0", s.Threshold)
	}
	counts := map[data.Split]int{}
	for _, split := range []data.Split{data.Train, data.Test} {
		set, err := saccadeImages(c.Context, from, c.String("data"), split, c.Int(split.String()), uint64(c.Int64("seed")))
		if err != nil {
			return err
		}
		_, h, w := set.Shape()
		if h > s.Side || w > s.Side {
			s.Side = max(h, w) + 6 // as large a margin as N-MNIST's
		}
		counts[split] = set.Len()
		o.progress.Start(split.String(), "images", set.Len(), 0)
		if err := data.WriteSaccades(c.Context, set, out, split, s, func() { o.progress.Add(1, "") }); err != nil {
			o.progress.Stop()
			if errors.Is(err, os.ErrExist) {
				return usagef("data %v", err)
			}
			return err
		}
		o.progress.End("")
	}
	o.printf("%s: recordings of %s training and %s test images of %s, %d x %d pixels, %d ms each\n", out,
		thousands(counts[data.Train]), thousands(counts[data.Test]), from, s.Side, s.Side, int64(len(s.Corners))*s.Microseconds/1000)
	o.printf("next: spikedhs train --config n-mnist --set data.name=event-folder --set data.path=%s --set 'data.sensor=[%d, %[2]d]'\n",
		filepath.Clean(out), s.Side)
	return o.object(map[string]any{
		"out": out, "from": from, "train": counts[data.Train], "test": counts[data.Test], "sensor": []int{s.Side, s.Side},
	})
}

func saccadeImages(ctx context.Context, name, path string, split data.Split, limit int, seed uint64) (data.Dataset, error) {
	set, err := data.Open(ctx, name, path, split)
	if err != nil || limit == 0 {
		return set, err
	}
	return data.Take(set, limit, seed)
}
