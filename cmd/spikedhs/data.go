package main

import (
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
)

func dataCommand() *cli.Command {
	return &cli.Command{
		Name:  "data",
		Usage: "find and fetch data sets",
		Subcommands: append([]*cli.Command{
			{
				Name:      "info",
				Usage:     "say which data sets are on this machine, and what they hold",
				ArgsUsage: "[NAME]",
				Flags: slices.Concat([]cli.Flag{
					&cli.StringFlag{Name: "dir", Usage: "folder `DIR` of the files instead of the usual places"}, jsonFlag(),
				}, logFlags()),
				Action: dataInfo,
			},
			{
				Name:      "fetch",
				Usage:     "download a data set and check it",
				ArgsUsage: "NAME",
				Flags: slices.Concat([]cli.Flag{
					&cli.StringFlag{Name: "dir", Usage: "folder `DIR` to put it in (default: " + data.DefaultDir() + ")"},
					&cli.StringFlag{Name: "base-url", Usage: "`URL` of a mirror that has the files under their names"},
					jsonFlag(),
				}, logFlags()),
				Action: dataFetch,
			},
		}, stereoDataCommands()...),
	}
}
