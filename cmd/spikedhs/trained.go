package main

import (
	"cmp"
	"errors"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/report"
	"github.com/spikedhs/spikedhs/train/run"
)

func evalCommand() *cli.Command {
	return command("eval",
		"measure the network of a run on the test data: accuracy, sparsity, energy, and baselines where there are some",
		evaluate, reporting(runFlag(), checkpointFlag(), deviceFlag()))
}

func evaluate(c *cli.Context) (err error) {
	o := newConsole(c)
	trained, err := openTrained(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, trained.Close()) }()
	e, err := trained.Evaluate(c.Context, o.progress)
	if err != nil {
		return err
	}
	if !o.json {
		e.Write(o)
	}
	return o.object(e.Detail())
}

// openTrained reads the network that --run, --checkpoint and --device name.
func openTrained(c *cli.Context) (*train.Trained, error) {
	dir, err := required(c, "run")
	if err != nil {
		return nil, err
	}
	return train.Open(c.Context, dir, c.String("checkpoint"), c.String("device"))
}

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
