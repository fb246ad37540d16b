package main

import (
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/train/run"
)

func dataCommand() *cli.Command {
	return group("data", "find and fetch data sets",
		&cli.Command{
			Name:      "info",
			Usage:     "say which data sets are on this machine, and what they hold",
			ArgsUsage: "[NAME]",
			Flags: reporting(
				dirFlag(usualPlaces), sensorFlag(),
				&cli.BoolFlag{Name: "verify", Usage: "decode every image file of NAME and list those that cannot be read"},
				text("sheet", "draw some training images of NAME into `FILE`, a PNG"),
				sizeFlag("side in pixels of crops of image files", "224"),
			),
			Action: dataInfo,
		},
		&cli.Command{
			Name:      "fetch",
			Usage:     "download a data set and check it",
			ArgsUsage: "NAME",
			Flags:     reporting(dirFlag(data.DefaultDir()), baseURLFlag()),
			Action:    dataFetch,
		},
		dataSaccadeCommand(), dataPreviewCommand(), dataSynthCommand(), dataConvertCommand(), dataPreviewPairCommand(),
	)
}

// counter shows the calls of a function that is told how much of how much is done.
func counter(p *run.Progress, label, unit string) func(done, total int) {
	var mu sync.Mutex
	shown := -1
	return func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if shown < 0 {
			p.Start(label, unit, total, 0)
			shown = 0
		}
		if done > shown {
			p.Add(done-shown, "")
			shown = done
		}
	}
}
