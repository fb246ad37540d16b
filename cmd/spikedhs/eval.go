package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/train"
)

func evalCommand() *cli.Command {
	return &cli.Command{
		Name:  "eval",
		Usage: "measure the network of a run on the test data: accuracy, sparsity, energy, and baselines where there are some",
		Flags: reporting(runFlag(), checkpointFlag(), deviceFlag()),
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

// openTrained reads the network that --run, --checkpoint and --device name.
func openTrained(c *cli.Context) (*train.Trained, error) {
	dir, err := required(c, "run")
	if err != nil {
		return nil, err
	}
	return train.Open(c.Context, dir, c.String("checkpoint"), c.String("device"))
}
