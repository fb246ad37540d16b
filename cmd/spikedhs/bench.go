package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/bench"
	"github.com/spikedhs/spikedhs/train/task"
)

func benchCommand() *cli.Command {
	var commands []*cli.Command
	for _, t := range bench.Tasks() {
		commands = append(commands, benchTaskCommand(t))
	}
	return group("bench", "measure speed and memory, also against the same networks in PyTorch", append(commands,
		benchKernelsCommand(), benchLIFCommand(), benchLoaderCommand(), benchProfileCommand(), benchDocumentCommand(), benchWorkerCommand())...)
}

// gridFlags are the axes of a table; a list on several makes all combinations.
func gridFlags() []cli.Flag {
	return []cli.Flag{
		batchFlag(orList, "8"), widthFlag(orList, "48; search: 8,16"), stepsFlag(orList, "6"), sizeFlag(sides, "32"), threadsFlag(orList),
		precisionFlag(), deviceFlag(),
	}
}

func repeatsFlag(what string) cli.Flag {
	return whole("repeats", "`N` repeats: "+what, 1, 5)
}

func vsFlag(what string) *cli.StringFlag {
	return text("vs", "compare with `LIST`: "+what)
}

func apartFlag() cli.Flag {
	return &cli.BoolFlag{Name: "apart", Usage: "start every sample anew, so that only one side holds memory at a time"}
}

func taskFlag(what, otherwise string) *cli.StringFlag {
	return text("task", "`TASK` to measure: "+what, otherwise)
}

// oneTaskFlag takes one of some tasks, the first where it is not given.
func oneTaskFlag(what string, tasks ...bench.Task) cli.Flag {
	var names []string
	for _, t := range tasks {
		names = append(names, string(t))
	}
	f := taskFlag(what, "")
	f.Value, f.Action = names[0], oneOf("task", names...)
	return f
}

// measureFlags say how often to measure and what to print.
func measureFlags() []cli.Flag {
	return reporting(repeatsFlag("samples of which the median is told"),
		&cli.Float64Flag{Name: "seconds", Value: 2, Usage: "`S` seconds that a sample takes, at least one step"})
}

// sideFlags choose what to compare with; python says what that is.
func sideFlags(python string) []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "graphs", Usage: "measure our side again with its steps recorded as CUDA graphs"},
		vsFlag("python, which is " + python + ", and spikingjelly, which is its layers and its SpikeDHS (train, infer)"),
		pythonFlag(), pythonDeviceFlag(),
		&cli.Float64Flag{Name: "most", DefaultText: "no limit", Usage: "`S` seconds after which a case gets no more samples, and sides that are not yet warm none"},
		apartFlag(),
	}
}

func pythonFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "python", DefaultText: "that of the wheel, $PYTHON, python3, /usr/bin/python3",
		Usage: "`PROGRAM` with PyTorch",
	}
}

func pythonDeviceFlag() cli.Flag {
	return &cli.StringFlag{Name: "python-device", DefaultText: "that of --device", Usage: "`DEVICE` that Python computes on"}
}

// benchTaskCommand measures a task: a grid of cases, or those of a named size, batch 1.
func benchTaskCommand(task bench.Task) *cli.Command {
	flags, python := gridFlags(), "PyTorch one step at a time and with time folded"
	sizes, about := task.Sizes()
	if sizes != nil {
		python = "PyTorch one step at a time"
		size := sizeFlag(strings.Join(sizes, " or ")+" ("+about+")", "")
		size.Value, size.Action = sizes[0], oneOf("size", sizes...)
		flags = []cli.Flag{size, threadsFlag(orList), precisionFlag(), deviceFlag()}
	}
	flags = slices.Concat(flags, sideFlags(python), measureFlags())
	if task == bench.Search {
		flags = append(flags, &cli.IntFlag{Name: "nodes", Value: 4, Usage: "`N` nodes of a cell", Action: atLeast("nodes", 1)})
	}
	return &cli.Command{
		Name: string(task), Usage: task.Usage(), Flags: flags,
		Action: func(c *cli.Context) error { return runBenchTask(c, task) },
	}
}

func runBenchTask(c *cli.Context, task bench.Task) error {
	o := newConsole(c)
	cases, err := benchCases(c, task)
	if err != nil {
		return err
	}
	plan, err := benchPlan(c, o)
	if err != nil {
		return err
	}
	defer plan.Python.Close()
	failed, measured, err := newBenchTable(o, task).measure(c.Context, plan, cases)
	if err == nil && failed > 0 {
		err = fmt.Errorf("bench %s: %d of %d measurements failed; the reasons stand above", task, failed, measured)
	}
	return err
}

// otherSides gives a plan the sides that --graphs and --vs ask for.
func otherSides(c *cli.Context, o *console, plan *bench.Plan) error {
	plan.Graphs, plan.PythonDevice = c.Bool("graphs"), c.String("python-device")
	if plan.Graphs {
		if device, err := torch.ParseDevice(deviceName(c)); err == nil && !torch.IsCUDA(device) {
			return usagef("--graphs: CUDA graphs need a CUDA device, not %s; see --device", torch.DeviceName(device))
		}
	}
	var err error
	if plan.Others, err = others(c); err != nil || len(plan.Others) == 0 {
		return err
	}
	if plan.Python, err = bench.FindPython(c.Context, c.String("python")); err != nil {
		return err
	}
	if release(plan.Python.Version) != release(torch.Version()) {
		o.log.Warn("not the same libtorch on both sides", "spikedhs", torch.Version(), "python", plan.Python.Version)
	}
	return nil
}

// others are the implementations that --vs names.
func others(c *cli.Context) (list []string, err error) {
	if c.String("vs") == "" {
		return nil, nil
	}
	for _, word := range strings.Split(c.String("vs"), ",") {
		switch strings.TrimSpace(word) {
		case "python":
			list = append(list, bench.PythonSides()...)
		case "spikingjelly":
			list = append(list, bench.SpikingJellySides()...)
		default:
			return nil, usagef("--vs %s: want python, spikingjelly or both with a comma between them", c.String("vs"))
		}
	}
	return list, nil
}

// release is a version without what distributions add to it, such as a0 or +cpu.
func release(version string) string { return releaseForm.FindString(version) }

var releaseForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*`)

// benchPlan measures with workers that are this program. The plan's Python must be
// closed.
func benchPlan(c *cli.Context, o *console) (bench.Plan, error) {
	self, err := os.Executable()
	if err != nil {
		return bench.Plan{}, fmt.Errorf("bench: %w", err)
	}
	plan := bench.Plan{
		Worker: []string{self, "bench", "worker"}, Repeats: c.Int("repeats"), Seconds: c.Float64("seconds"),
		Apart: c.Bool("apart"), Most: time.Duration(c.Float64("most") * float64(time.Second)), Log: o.log,
	}
	if err := otherSides(c, o, &plan); err != nil {
		return plan, err
	}
	warnOfLoad(o)
	return plan, nil
}

// warnOfLoad warns where other programs compute: libtorch's threads wait actively
// for each other, so a busy neighbour slows small operators many times over.
func warnOfLoad(o *console) {
	const quiet = 0.5
	if load, ok := bench.LoadAverage(); ok && load > quiet {
		o.log.Warn("other programs are busy on this machine: the figures will be too low and spread", "load_average", load)
	}
}

// benchCases are the cases that the flags describe.
func benchCases(c *cli.Context, task bench.Task) ([]bench.Case, error) {
	if sizes, _ := task.Sizes(); sizes != nil {
		return sizedCases(c, task, c.String("size"))
	}
	g := bench.Grid{Task: task, Nodes: c.Int("nodes"), Precision: c.String("precision"), Device: c.String("device")}
	if err := axes(c, &g); err != nil {
		return nil, err
	}
	return g.Cases()
}

// sizedCases are the cases of a named size.
func sizedCases(c *cli.Context, task bench.Task, size string) ([]bench.Case, error) {
	threads, err := threadCounts(c)
	if err != nil {
		return nil, err
	}
	var cases []bench.Case
	for _, n := range threads {
		one, err := bench.SizedCase(task, size, c.String("precision"), deviceName(c), n)
		if err != nil {
			return nil, err
		}
		cases = append(cases, one)
	}
	return cases, nil
}

// threadCounts are the numbers of --threads, all cores where it is not given.
func threadCounts(c *cli.Context) ([]int, error) {
	threads, err := numbers(c, "threads")
	if threads == nil {
		threads = []int{torch.Threads()}
	}
	return threads, err
}

// axes gives a grid the lists of the flags.
func axes(c *cli.Context, g *bench.Grid) error {
	for _, axis := range []struct {
		name string
		to   *[]int
	}{{"batch", &g.Batches}, {"width", &g.Widths}, {"steps", &g.Steps}, {"size", &g.Sizes}, {"threads", &g.Threads}} {
		var err error
		if *axis.to, err = numbers(c, axis.name); err != nil {
			return err
		}
	}
	return nil
}

// numbers is the value of a flag that lists whole numbers; none where it is not
// given.
func numbers(c *cli.Context, flag string) ([]int, error) {
	if c.String(flag) == "" {
		return nil, nil
	}
	var list []int
	for _, word := range strings.Split(c.String(flag), ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 1 {
			return nil, usagef("--%s %s: want numbers from 1 on with commas between them, such as 8,32", flag, c.String(flag))
		}
		list = append(list, n)
	}
	return list, nil
}

// single is a flag of which one number is wanted.
type single struct {
	flag string
	to   *int // holds what the flag is where it is not given
}

func singles(c *cli.Context, all ...single) error {
	for _, one := range all {
		list, err := numbers(c, one.flag)
		switch {
		case err != nil:
			return err
		case len(list) > 1:
			return oneOnly(c, one.flag)
		case len(list) == 1:
			*one.to = list[0]
		}
	}
	return nil
}

func oneOnly(c *cli.Context, flag string) error {
	return usagef("--%s %s: give one number here", flag, c.String(flag))
}

// benchWorkerCommand is our side of a comparison, in a process of its own.
func benchWorkerCommand() *cli.Command {
	return &cli.Command{
		Name: "worker", Usage: "run one case for another spikedhs bench", ArgsUsage: "CASE", Hidden: true,
		Action: func(c *cli.Context) error {
			var one bench.Case
			if err := json.Unmarshal([]byte(c.Args().First()), &one); err != nil {
				return usagef("bench worker: the case is no JSON object: %v", err)
			}
			// The program that asks ends this one by closing its input.
			return bench.Work(context.WithoutCancel(c.Context), one, os.Stdin, c.App.Writer)
		},
	}
}

// precisions are the element types that --precision stands for; without it both.
func precisions(c *cli.Context) ([]string, error) {
	if c.String("precision") != "auto" {
		return []string{c.String("precision")}, nil
	}
	if c.IsSet("precision") {
		device, err := torch.ParseDevice(deviceName(c))
		return []string{string(task.Precision("auto", device))}, err
	}
	return []string{"float32", "bfloat16"}, nil
}
