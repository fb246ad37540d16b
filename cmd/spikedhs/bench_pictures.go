package main

import (
	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/train/bench"
)

// runBenchPictures measures a folder of image files; see `bench loader --dir`.
func runBenchPictures(c *cli.Context, dir string) error {
	o := newConsole(c)
	options := bench.PicturesOptions{Dir: dir, Repeats: c.Int("repeats"), Python: bench.FindPillow(c.Context, "")}
	for _, axis := range []struct {
		name      string
		to        *int
		otherwise int
	}{{"batch", &options.Batch, 32}, {"size", &options.Size, data.DefaultSize}, {"files", &options.Files, 1000}} {
		var err error
		if *axis.to, err = oneNumber(c, axis.name, axis.otherwise); err != nil {
			return err
		}
	}
	warnOfLoad(o)
	if options.Python == "" {
		o.log.Warn("no Python with Pillow: libjpeg-turbo is not measured; install it (Debian: python3-pil) or name one with $PYTHON")
	}
	rows, err := bench.Pictures(c.Context, options)
	if err != nil {
		return err
	}
	o.printf("%d files of %s, crops of %d pixels, batches of %d\n\n", rows[0].Files, dir, options.Size, options.Batch)
	o.printf("%-18s  %7s  %9s  %16s  %8s  %6s\n", "", "workers", "images/s", "images/s a core", "MB/s", "spread")
	for _, r := range rows {
		o.printf("%-18s  %7d  %9.1f  %16.1f  %8.1f  %4.0f %%\n", r.Way, r.Workers, r.Rate, r.RatePerCore, r.MegabytesS, 100*r.Spread)
		if err := o.object(r); err != nil {
			return err
		}
	}
	return nil
}
