package main

import (
	"cmp"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/bench"
)

func benchLoaderCommand() *cli.Command {
	return command("loader",
		"images a second of one loader worker on one core, beside what training takes",
		runBenchLoader, slices.Concat([]cli.Flag{
			batchFlag("", "32"), sizeFlag("side in pixels", "32; with --dir 224"),
			dirFlag("images of random numbers; of a folder with train and val the files are measured, beside bare decoders"),
			text("files", "`N` files of --dir at most", "1000"),
			widthFlag(" of the training", "48"),
			&cli.BoolFlag{Name: "alone", Usage: "do not measure training"},
			precisionFlag(), deviceFlag(),
		}, measureFlags()))
}

func runBenchLoader(c *cli.Context) error {
	if dir := c.String("dir"); dir != "" {
		return runBenchPictures(c, dir)
	}
	o := newConsole(c)
	batch, size, width := 32, 32, 48
	if err := singles(c, single{"batch", &batch}, single{"size", &size}, single{"width", &width}); err != nil {
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
		training, _, err := plan.Run(c.Context, cases[0])
		if err != nil {
			return err
		}
		row.Against(training[0])
		if err := o.object(training[0]); err != nil {
			return err
		}
	}
	o.printf("loader    %9.1f images/s by one worker on one core (spread %.0f %%)\n", row.Rate, 100*row.Spread)
	if row.TrainRate > 0 {
		o.printf("training  %9.1f images/s (%s, batch %d, F=%d)\nratio     %9.1f\n", row.TrainRate, cases[0].Precision, batch, width, row.TimesTraining)
	}
	return o.object(row)
}

// runBenchPictures measures a folder of image files; see `bench loader --dir`.
func runBenchPictures(c *cli.Context, dir string) error {
	o := newConsole(c)
	options := bench.PicturesOptions{
		Dir: dir, Repeats: c.Int("repeats"), Python: bench.FindPillow(c.Context, ""), Batch: 32, Size: data.DefaultSize, Files: 1000,
	}
	if err := singles(c, single{"batch", &options.Batch}, single{"size", &options.Size}, single{"files", &options.Files}); err != nil {
		return err
	}
	warnOfLoad(o)
	if options.Python == "" {
		o.log.Warn("no Python with Pillow: libjpeg-turbo is not measured; install it (Debian: python3-pil) or name one with $PYTHON")
	}
	rows, err := bench.Pictures(c.Context, options)
	if err != nil {
		return err
	}
	o.printf("%d files of %s, crops of %d pixels, batches of %d\n\n", rows[0].Files, dir, options.Size, options.Batch)
	o.printf("%-18s  %7s  %9s  %16s  %8s  %6s\n", "", "workers", "images/s", "images/s a core", "MB/s", "spread")
	for _, r := range rows {
		o.printf("%-18s  %7d  %9.1f  %16.1f  %8.1f  %4.0f %%\n", r.Way, r.Workers, r.Rate, r.RatePerCore, r.MegabytesS, 100*r.Spread)
		if err := o.object(r); err != nil {
			return err
		}
	}
	return nil
}

func benchProfileCommand() *cli.Command {
	return &cli.Command{
		Name: "profile", Usage: "the operators of a step and what each takes of it",
		Description: "On a CUDA device operators are listed by their time there, from when the device comes to\n" +
			"an operator until it is done; where the device waits for the processor, that is counted in,\n" +
			"so take a batch that keeps it busy. A profile makes steps longer: step_ms is one without.",
		Flags: reporting(
			oneTaskFlag("a task of bench", bench.Tasks()...),
			batchFlag("", "8"), widthFlag("", "48; search: 16"), stepsFlag("", "6"),
			sizeFlag("side in pixels, or the name of a size where the task has some", "32"), threadsFlag(""),
			repeatsFlag("steps that are measured"),
			whole("top", "`N` operators to list", 1, 15),
			precisionFlag(), deviceFlag(),
		),
		Action: runBenchProfile,
	}
}

func runBenchProfile(c *cli.Context) error {
	o := newConsole(c)
	one, err := profiledCase(c)
	if err != nil {
		return err
	}
	warnOfLoad(o)
	p, err := bench.Profile(c.Context, one, c.Int("repeats"))
	if err != nil {
		return err
	}
	p.Operators = p.Operators[:min(c.Int("top"), len(p.Operators))]
	o.printf("%s, %s\n%.2f ms a step, %.2f ms with a profile; operators: %.2f ms on the processor", one, one.Device, p.StepMS, p.ProfiledMS, p.HostMS)
	if p.DeviceMS > 0 {
		o.printf(", %.2f ms on the device", p.DeviceMS)
	}
	o.printf("\n%6s  %8s  %9s  %9s  %s\n", "share", "calls", "device ms", "host ms", "operator")
	for _, r := range p.Operators {
		o.printf("%4.1f %%  %8.1f  %9.3f  %9.3f  %s\n", 100*r.Share, r.Calls, r.DeviceMS, r.HostMS, r.Name)
	}
	return o.object(p)
}

// profiledCase is the case that the flags describe.
func profiledCase(c *cli.Context) (bench.Case, error) {
	task := bench.Task(c.String("task"))
	if sizes, _ := task.Sizes(); sizes != nil {
		cases, err := sizedCases(c, task, cmp.Or(c.String("size"), sizes[0]))
		if err == nil && len(cases) > 1 {
			err = oneOnly(c, "threads")
		}
		if err != nil {
			return bench.Case{}, err
		}
		return cases[0], nil
	}
	batch, width, steps, size, threads := 8, 48, 6, 32, torch.Threads()
	if task == bench.Search {
		width = 16
	}
	err := singles(c, single{"batch", &batch}, single{"width", &width}, single{"steps", &steps}, single{"size", &size}, single{"threads", &threads})
	if err != nil {
		return bench.Case{}, err
	}
	cases, err := bench.Grid{
		Task: task, Precision: c.String("precision"), Device: c.String("device"),
		Batches: []int{batch}, Widths: []int{width}, Steps: []int{steps}, Sizes: []int{size}, Threads: []int{threads},
	}.Cases()
	if err != nil {
		return bench.Case{}, err
	}
	return cases[0], nil
}
