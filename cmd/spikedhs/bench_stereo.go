package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/bench"
)

// benchStereoCommand measures the stereo network, batch 1.
func benchStereoCommand(task bench.Task, usage string) *cli.Command {
	sizes := bench.StereoSizes()
	return &cli.Command{
		Name: string(task), Usage: usage,
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "size", Value: sizes[0], Usage: "`NAME` of the size: " + strings.Join(sizes, " or ") + " (96x132 with f=4, MVSEC's with f=8; a search has half of f)", Action: oneOf("size", sizes...)},
			&cli.StringFlag{Name: "threads", Usage: "`LIST` of numbers of threads (default: all cores)"},
			precisionFlag(), deviceFlag(),
		}, sideFlags("PyTorch one step at a time"), measureFlags()),
		Action: func(c *cli.Context) error { return runBenchStereo(c, task) },
	}
}

func runBenchStereo(c *cli.Context, task bench.Task) error {
	o := newConsole(c)
	threads, err := numbers(c, "threads")
	if err != nil {
		return err
	}
	if threads == nil {
		threads = []int{torch.Threads()}
	}
	plan, err := benchPlan(c, o)
	if err != nil {
		return err
	}
	defer plan.Python.Close()
	t := newBenchTable(o, task)
	for _, n := range threads {
		one, err := bench.StereoCase(task, c.String("size"), c.String("precision"), deviceName(c), n)
		if err != nil {
			return err
		}
		rows, pairs, err := plan.Run(c.Context, one)
		if err != nil {
			return err
		}
		if err := t.add(rows, pairs); err != nil {
			return err
		}
		for _, row := range rows {
			if row.Error != "" {
				return fmt.Errorf("bench %s: a measurement failed; the reason stands above", task)
			}
		}
	}
	return nil
}
