package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/train/bench"
)

func benchLoaderCommand() *cli.Command {
	return &cli.Command{
		Name: "loader", Usage: "images a second of one loader worker on one core, beside what training takes",
		Flags: slices.Concat([]cli.Flag{
			batchFlag("", "32"), sizeFlag("side in pixels", "32; with --dir 224"),
			dirFlag("images of random numbers; of a folder with train and val the files are measured, beside bare decoders"),
			&cli.StringFlag{Name: "files", DefaultText: "1000", Usage: "`N` files of --dir at most"},
			widthFlag(" of the training", "48"),
			&cli.BoolFlag{Name: "alone", Usage: "do not measure training"},
			precisionFlag(), deviceFlag(),
		}, measureFlags()),
		Action: runBenchLoader,
	}
}

func runBenchLoader(c *cli.Context) error {
	if dir := c.String("dir"); dir != "" {
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
			oneTaskFlag("train or search", bench.Train, bench.Search),
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
