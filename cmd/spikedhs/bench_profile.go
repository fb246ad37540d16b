package main

import (
	"cmp"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/bench"
)

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
			&cli.IntFlag{Name: "top", Value: 15, Usage: "`N` operators to list", Action: atLeast("top", 1)},
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
