package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/cmd/spikedhs/internal/doctor"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/bench"
)

func benchLIFCommand() *cli.Command {
	return &cli.Command{
		Name: "lif", Usage: "the neuron's bandwidth, beside a plain copy's",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "batch", Usage: "`N` images (default: 32)"},
			&cli.StringFlag{Name: "width", Usage: "`N` channels (default: 64)"},
			&cli.StringFlag{Name: "steps", Usage: "`N` time steps T (default: 6)"},
			&cli.StringFlag{Name: "size", Usage: "`N` rows and columns (default: 64)"},
			&cli.StringFlag{Name: "threads", Usage: "`LIST` of numbers of threads (default: all cores)"},
			&cli.StringFlag{Name: "vs", Usage: "compare with `WHAT`: spikingjelly, whose neuron is measured beside ours in one process", Action: oneOf("vs", "spikingjelly")},
			pythonFlag(), pythonDeviceFlag(), precisionFlag(), deviceFlag(),
		}, measureFlags()),
		Action: runBenchLIF,
	}
}

func runBenchLIF(c *cli.Context) error {
	o := newConsole(c)
	one := bench.LIFCase{Device: deviceName(c), Repeats: c.Int("repeats"), Seconds: c.Float64("seconds")}
	for _, axis := range []struct {
		name      string
		to        *int
		otherwise int
	}{{"batch", &one.Batch, 32}, {"width", &one.Width, 64}, {"steps", &one.Steps, 6}, {"size", &one.Size, 64}} {
		var err error
		if *axis.to, err = oneNumber(c, axis.name, axis.otherwise); err != nil {
			return err
		}
	}
	threads, err := numbers(c, "threads")
	if err != nil {
		return err
	}
	if threads == nil {
		threads = []int{torch.Threads()}
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
			agreement, rows, err := bench.SpikingJellyLIF(c.Context, one, python, doctor.Shim(), c.String("python-device"))
			if err != nil {
				return err
			}
			if err := printBandwidths(o, rows); err != nil {
				return err
			}
			o.printf("in one process of Python: %d of %d spikes differ, gradients by %.1e of the largest; SpikingJelly computes with %s\n",
				agreement.Differ, agreement.Spikes, agreement.GradientDifference, agreement.Implementation)
			if err := o.object(agreement); err != nil {
				return err
			}
		}
	}
	return nil
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

func benchLoaderCommand() *cli.Command {
	return &cli.Command{
		Name: "loader", Usage: "images a second of one loader worker on one core, beside what training takes",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "batch", Usage: "`N` images (default: 32)"},
			&cli.StringFlag{Name: "size", Usage: "`N` pixels of an image's side (default: 32; with --data 224)"},
			&cli.StringFlag{Name: "data", Usage: "measure the image files of `DIR`, which holds train and val, beside bare decoders"},
			&cli.StringFlag{Name: "files", Usage: "`N` files of --data at most (default: 1000)"},
			&cli.StringFlag{Name: "width", Usage: "`N` is the width F of the training (default: 48)"},
			&cli.BoolFlag{Name: "alone", Usage: "do not measure training"},
			precisionFlag(), deviceFlag(),
		}, measureFlags()),
		Action: runBenchLoader,
	}
}

func runBenchLoader(c *cli.Context) error {
	if dir := c.String("data"); dir != "" {
		return runBenchPictures(c, dir)
	}
	o := newConsole(c)
	batch, err := oneNumber(c, "batch", 32)
	if err != nil {
		return err
	}
	size, err := oneNumber(c, "size", 32)
	if err != nil {
		return err
	}
	width, err := oneNumber(c, "width", 48)
	if err != nil {
		return err
	}
	grid := bench.Grid{
		Task: bench.Train, Batches: []int{batch}, Widths: []int{width}, Sizes: []int{size},
		Precision: c.String("precision"), Device: c.String("device"),
	}
	cases, err := grid.Cases()
	if err != nil {
		return err
	}
	plan, err := benchPlan(c, o)
	if err != nil {
		return err
	}
	row, err := bench.Loader(c.Context, batch, size, plan.Repeats)
	if err != nil {
		return err
	}
	if !c.Bool("alone") {
		training, err := trainingRate(c, plan, cases[0])
		if err != nil {
			return err
		}
		row.Against(training)
		if err := o.object(training); err != nil {
			return err
		}
	}
	o.printf("loader    %9.1f images/s by one worker on one core (spread %.0f %%)\n", row.Rate, 100*row.Spread)
	if row.TrainRate > 0 {
		o.printf("training  %9.1f images/s (%s, batch %d, F=%d)\nratio     %9.1f\n", row.TrainRate, cases[0].Precision, batch, width, row.TimesTraining)
	}
	return o.object(row)
}

func benchRooflineCommand() *cli.Command {
	return &cli.Command{
		Name: "roofline", Usage: "arithmetic of a step, beside bare convolutions and a bare copy",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "task", Value: string(bench.Train), Usage: "`TASK`: train or search", Action: oneOf("task", string(bench.Train), string(bench.Search))},
		}, gridFlags(), measureFlags()),
		Action: runBenchRoofline,
	}
}

func runBenchRoofline(c *cli.Context) error {
	o := newConsole(c)
	cases, err := benchCases(c, bench.Task(c.String("task")))
	if err != nil {
		return err
	}
	plan, err := benchPlan(c, o)
	if err != nil {
		return err
	}
	for _, one := range cases {
		measured, err := trainingRate(c, plan, one)
		if err != nil {
			return err
		}
		r, err := bench.Roofline(c.Context, one, measured, plan)
		if err != nil {
			return err
		}
		o.printf("%s, %d threads\n", one, one.Threads)
		o.printf("  step          %8.1f GFLOP/s (%.1f images/s, %.2f GFLOP an image)\n", r.GFLOPPerS, r.Rate, r.GFLOPPerImage)
		o.printf("  bare conv     %8.1f GFLOP/s, of which the step reaches %.0f %%\n", r.ConvGFLOPPerS, 100*r.Share)
		for _, conv := range r.Convs {
			o.printf("  %s\n", fmt.Sprintf("  %-26s  %8.1f GFLOP/s, %2.0f %% of the arithmetic", conv.Shape, conv.GFLOPPerS, 100*conv.Part))
		}
		o.printf("  bare copy     %8.1f GB/s\n", r.CopyGBPerS)
		if err := o.object(r); err != nil {
			return err
		}
	}
	return nil
}
