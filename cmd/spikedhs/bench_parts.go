package main

import (
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
