package main

import (
	"cmp"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/train/report"
	"github.com/spikedhs/spikedhs/train/run"
)

func reportCommand() *cli.Command {
	return &cli.Command{
		Name:      "report",
		Usage:     "write one HTML file about one or more runs",
		ArgsUsage: "RUN...",
		Flags:     reporting(outFlag("a file; without it report.html in the first run folder", "")),
		Action: func(c *cli.Context) error {
			folders := c.Args().Slice()
			if len(folders) == 0 {
				return usagef("report: name at least one run folder; see spikedhs report --help")
			}
			o := newConsole(c)
			for _, dir := range folders {
				if _, err := run.Open(dir); err != nil {
					return err
				}
			}
			output := cmp.Or(c.String("out"), filepath.Join(folders[0], run.ReportFile))
			if err := report.WriteFile(output, folders...); err != nil {
				return err
			}
			o.printf("report    %s (%s)\n", output, size(output))
			return o.object(map[string]any{"report": output, "runs": folders})
		},
	}
}
