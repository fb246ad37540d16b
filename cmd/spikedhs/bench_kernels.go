package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/cmd/spikedhs/internal/doctor"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/bench"
)

func benchKernelsCommand() *cli.Command {
	return command("kernels",
		"what each family of CPU kernels brings: training, search and inference, with all of them and without each in turn",
		runBenchKernels, slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "without", DefaultText: "all that this CPU has: " + strings.Join(torch.CPUFamilies(), ", "), Usage: "`LIST` of families to leave out, one at a time"},
			taskFlag("a list", "train,search,infer"),
			&cli.StringFlag{Name: "precision", DefaultText: "float32,bfloat16", Usage: "`TYPE` of the convolutions: a list"},
			batchFlag(orList, "8"), widthFlag(orList, "48; search: 8"), stepsFlag(orList, "6"), sizeFlag(sides, "32"), threadsFlag(orList), apartFlag(),
		}, measureFlags()))
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

func benchLIFCommand() *cli.Command {
	vs := vsFlag("spikingjelly, whose neuron is measured beside ours in one process")
	vs.Action = oneOf("vs", "spikingjelly")
	return command("lif", "the neuron's bandwidth, beside a plain copy's", runBenchLIF, slices.Concat([]cli.Flag{
		batchFlag("", "32"), widthFlag("", "64"), stepsFlag("", "6"), sizeFlag("rows and columns", "64"), threadsFlag(orList), vs,
		pythonFlag(), pythonDeviceFlag(), precisionFlag(), deviceFlag(),
	}, measureFlags()))
}

func runBenchLIF(c *cli.Context) error {
	o := newConsole(c)
	one := bench.LIFCase{
		Setting: bench.Setting{Batch: 32, Width: 64, Steps: 6, Size: 64, Device: deviceName(c)}, Repeats: c.Int("repeats"), Seconds: c.Float64("seconds"),
	}
	if err := singles(c, single{"batch", &one.Batch}, single{"width", &one.Width}, single{"steps", &one.Steps}, single{"size", &one.Size}); err != nil {
		return err
	}
	threads, err := threadCounts(c)
	if err != nil {
		return err
	}
	types, err := precisions(c)
	if err != nil {
		return err
	}
	var python *bench.Python
	if c.String("vs") != "" {
		if python, err = bench.FindPython(c.Context, c.String("python")); err != nil {
			return err
		}
		defer python.Close()
	}
	warnOfLoad(o)
	o.printf("%-9s  %7s  %-12s  %-9s  %-16s  %8s  %8s  %7s  %6s\n", "precision", "threads", "neuron of", "surrogate", "pass", "GB/s", "copy", "share", "spread")
	failed := 0
	for _, one.Threads = range threads {
		for _, one.Precision = range types {
			rows, err := bench.LIF(c.Context, one)
			if err != nil {
				return err
			}
			if err := printBandwidths(o, rows); err != nil {
				return err
			}
			if python == nil {
				continue
			}
			if err := besideSpikingJelly(c, o, one, python); err != nil {
				if c.Context.Err() != nil {
					return err
				}
				o.log.Warn("SpikingJelly's neuron could not be measured", "precision", one.Precision, "error", err)
				failed++
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("bench lif: SpikingJelly's neuron failed in %d of %d cases; the reasons stand above", failed, len(threads)*len(types))
	}
	return nil
}

// besideSpikingJelly measures our neuron and that of SpikingJelly in one process.
func besideSpikingJelly(c *cli.Context, o *console, one bench.LIFCase, python *bench.Python) error {
	agreement, rows, err := bench.SpikingJellyLIF(c.Context, one, python, doctor.Shim(), c.String("python-device"))
	if err != nil {
		return err
	}
	if err := printBandwidths(o, rows); err != nil {
		return err
	}
	o.printf("in one process of Python: %d of %d spikes differ, gradients by %.1e of the largest; SpikingJelly computes with %s\n",
		agreement.Differ, agreement.Spikes, agreement.GradientDifference, agreement.Implementation)
	return o.object(agreement)
}

func printBandwidths(o *console, rows []bench.Bandwidth) error {
	for _, r := range rows {
		o.printf("%-9s  %7d  %-12s  %-9s  %-16s  %8.2f  %8.2f  %5.0f %%  %4.0f %%\n", r.Precision, r.Threads, r.Impl, r.Surrogate, r.Pass, r.GBPerS, r.CopyGBPerS, 100*r.Share, 100*r.Spread)
		if err := o.object(r); err != nil {
			return err
		}
	}
	return nil
}
