package main

import (
	"slices"

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
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "task", Value: string(bench.Train), Usage: "`TASK`: a task of bench", Action: oneOf("task", taskNames(bench.Tasks())...)},
			&cli.StringFlag{Name: "batch", Usage: "`N` images (default: 8)"},
			&cli.StringFlag{Name: "width", Usage: "`N` is the width F (default: 48; search: 16)"},
			&cli.StringFlag{Name: "steps", Usage: "`N` time steps T (default: 6)"},
			&cli.StringFlag{Name: "size", Usage: "`N` pixels of an image's side (default: 32), or the name of a size where the task has some"},
			&cli.StringFlag{Name: "threads", Usage: "`N` threads (default: all cores)"},
			&cli.IntFlag{Name: "repeats", Value: 5, Usage: "`N` steps that are looked at", Action: atLeast("repeats", 1)},
			&cli.IntFlag{Name: "top", Value: 15, Usage: "`N` operators to list", Action: atLeast("top", 1)},
			precisionFlag(), deviceFlag(), &cli.BoolFlag{Name: "json", Usage: "print one JSON object"},
		}, logFlags()),
		Action: runBenchProfile,
	}
}

func taskNames(tasks []bench.Task) (names []string) {
	for _, t := range tasks {
		names = append(names, string(t))
	}
	return names
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
	threads, err := oneNumber(c, "threads", torch.Threads())
	if err != nil {
		return bench.Case{}, err
	}
	if sizes, _ := task.Sizes(); sizes != nil {
		size := c.String("size")
		if size == "" {
			size = sizes[0]
		}
		return bench.SizedCase(task, size, c.String("precision"), deviceName(c), threads)
	}
	g := bench.Grid{Task: task, Precision: c.String("precision"), Device: c.String("device"), Threads: []int{threads}}
	width := 48
	if task == bench.Search {
		width = 16
	}
	for _, axis := range []struct {
		name      string
		to        *[]int
		otherwise int
	}{{"batch", &g.Batches, 8}, {"width", &g.Widths, width}, {"steps", &g.Steps, 6}, {"size", &g.Sizes, 32}} {
		n, err := oneNumber(c, axis.name, axis.otherwise)
		if err != nil {
			return bench.Case{}, err
		}
		*axis.to = []int{n}
	}
	cases, err := g.Cases()
	if err != nil {
		return bench.Case{}, err
	}
	return cases[0], nil
}
