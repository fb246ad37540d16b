package main

import (
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
)

// dataCommands are those of data that are not images, each kind in a file of its own.
var dataCommands []func() []*cli.Command

func dataCommand() *cli.Command {
	var more []*cli.Command
	for _, commands := range dataCommands {
		more = append(more, commands()...)
	}
	return &cli.Command{
		Name:  "data",
		Usage: "find and fetch data sets",
		Subcommands: append([]*cli.Command{
			{
				Name:      "info",
				Usage:     "say which data sets are on this machine, and what they hold",
				ArgsUsage: "[NAME]",
				Flags: slices.Concat([]cli.Flag{
					&cli.StringFlag{Name: "dir", Usage: "folder `DIR` of the files instead of the usual places"},
					&cli.BoolFlag{Name: "verify", Usage: "decode every image file of NAME and list those that cannot be read"},
					&cli.StringFlag{Name: "sheet", Usage: "draw some training images of NAME into `FILE`, a PNG"},
					&cli.IntFlag{Name: "size", Value: data.DefaultSize, Usage: "`N` pixels of the side of crops of image files"},
					jsonFlag(),
				}, logFlags()),
				Action: dataInfo,
			},
			{
				Name:      "fetch",
				Usage:     "download a data set and check it",
				ArgsUsage: "NAME",
				Flags: slices.Concat([]cli.Flag{
					&cli.StringFlag{Name: "dir", Usage: "folder `DIR` to put it in (default: " + data.DefaultDir() + ")"},
					baseURLFlag(),
					jsonFlag(),
				}, logFlags()),
				Action: dataFetch,
			},
			{
				Name:   "saccade",
				Usage:  "make recordings of an event camera from images",
				Flags:  slices.Concat(saccadeFlags(), []cli.Flag{jsonFlag()}, logFlags()),
				Action: dataSaccade,
			},
			{
				Name:      "preview",
				Usage:     "draw the time steps of a recording of events",
				ArgsUsage: "FILE",
				Flags:     slices.Concat(previewFlags(), []cli.Flag{jsonFlag()}, logFlags()),
				Action:    dataPreview,
			},
		}, more...),
	}
}
