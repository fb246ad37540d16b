package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/bench"
)

func benchKernelsCommand() *cli.Command {
	return &cli.Command{
		Name:  "kernels",
		Usage: "what each family of CPU kernels brings: training, search and inference, with all of them and without each in turn",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "without", DefaultText: "all that this CPU has: " + strings.Join(torch.CPUFamilies(), ", "), Usage: "`LIST` of families to leave out, one at a time"},
			taskFlag("a list", "train,search,infer"),
			&cli.StringFlag{Name: "precision", DefaultText: "float32,bfloat16", Usage: "`TYPE` of the convolutions: a list"},
			batchFlag(orList, "8"), widthFlag(orList, "48; search: 8"), stepsFlag(orList, "6"), sizeFlag(sides, "32"), threadsFlag(orList), apartFlag(),
		}, measureFlags()),
		Action: runBenchKernels,
	}
}

func runBenchKernels(c *cli.Context) error {
	o := newConsole(c)
	families, err := someOf(c, "without", torch.CPUFamilies())
	if err != nil {
		return err
	}
	tasks, err := someOf(c, "task", []string{string(bench.Train), string(bench.Search), string(bench.Infer)})
	if err != nil {
		return err
	}
	precisions, err := someOf(c, "precision", []string{"float32", "bfloat16"})
	if err != nil {
		return err
	}
	plan, err := benchPlan(c, o)
	if err != nil {
		return err
	}
	plan.Others = bench.Withouts(families)
	if len(plan.Others) == 0 {
		return usagef("bench kernels: this CPU and this build have no kernels of %s", strings.Join(families, ", "))
	}
	for _, family := range families {
		if !torch.CPUKernels(family) {
			o.printf("no kernels of the family %q here\n", family)
		}
	}
	o.printf("speed and memory: with all kernels over without those of one family\n")
	for _, task := range tasks {
		t := newBenchTable(o, bench.Task(task))
		for _, precision := range precisions {
			cases, err := kernelCases(c, bench.Task(task), precision)
			if err != nil {
				return err
			}
			if _, _, err := t.measure(c.Context, plan, cases); err != nil {
				return err
			}
		}
	}
	return nil
}

// kernelCases are the cases of a task and precision on the CPU.
func kernelCases(c *cli.Context, task bench.Task, precision string) ([]bench.Case, error) {
	g := bench.Grid{Task: task, Precision: precision, Device: "cpu"}
	if err := axes(c, &g); err != nil {
		return nil, err
	}
	if task == bench.Search && len(g.Widths) == 0 {
		g.Widths = []int{8}
	}
	return g.Cases()
}

// someOf are the values of a flag that lists some of those that there are; all of them
// where it is not given.
func someOf(c *cli.Context, flag string, all []string) ([]string, error) {
	if c.String(flag) == "" {
		return all, nil
	}
	list := strings.Split(c.String(flag), ",")
	for _, word := range list {
		if !slices.Contains(all, word) {
			return nil, usagef("--%s %s: want some of %s, with commas between them", flag, c.String(flag), strings.Join(all, ","))
		}
	}
	return list, nil
}
