package main

import (
	"errors"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/train"
)

func evalCommand() *cli.Command {
	return &cli.Command{
		Name:  "eval",
		Usage: "measure the network of a run on the test data: accuracy, sparsity, energy, and baselines where there are some",
		Flags: slices.Concat([]cli.Flag{
			runFlag(),
			&cli.StringFlag{Name: "checkpoint", Usage: "`FILE` with the weights instead of the run's best or last checkpoint"},
			deviceFlag(), jsonFlag(),
		}, logFlags()),
		Action: func(c *cli.Context) (err error) {
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
		},
	}
}

func runFlag() cli.Flag { return &cli.StringFlag{Name: "run", Usage: "run folder `DIR` (required)"} }

// openTrained reads the network that --run, --checkpoint and --device name.
func openTrained(c *cli.Context) (*train.Trained, error) {
	dir, err := required(c, "run")
	if err != nil {
		return nil, err
	}
	return train.Open(c.Context, dir, c.String("checkpoint"), c.String("device"))
}
