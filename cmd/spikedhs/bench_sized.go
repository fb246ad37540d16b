package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/bench"
)

// benchSizedCommand measures a task whose cases have named sizes, batch 1.
func benchSizedCommand(task bench.Task) *cli.Command {
	sizes, about := task.Sizes()
	size := sizeFlag(strings.Join(sizes, " or ")+" ("+about+")", "")
	size.Value, size.Action = sizes[0], oneOf("size", sizes...)
	return &cli.Command{
		Name: string(task), Usage: task.Usage(),
		Flags: slices.Concat([]cli.Flag{
			size, threadsFlag(orList), precisionFlag(), deviceFlag(),
		}, sideFlags("PyTorch one step at a time"), measureFlags()),
		Action: func(c *cli.Context) error { return runBenchSized(c, task) },
	}
}

func runBenchSized(c *cli.Context, task bench.Task) error {
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
		one, err := bench.SizedCase(task, c.String("size"), c.String("precision"), deviceName(c), n)
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
