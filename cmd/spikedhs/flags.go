package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// Flags that several commands have stand here once: one name is one thing everywhere, of
// one type. What a command has to add to a sentence stands behind a colon or a comma.

// reporting are the flags of a command and those of all that report something.
func reporting(own ...cli.Flag) []cli.Flag {
	return slices.Concat(own, []cli.Flag{jsonFlag()}, logFlags())
}

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print JSON, one object a line"}
}

// logFlags choose what is told on standard error.
func logFlags() []cli.Flag {
	return []cli.Flag{
		choice("log-format", "`FORMAT` of progress and logs", "text", "json"),
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "log more"},
	}
}

// settingFlags choose a configuration as it stands in files and settings.
func settingFlags() []cli.Flag {
	const usage = "`FILE|PRESET` of settings; spikedhs config list names the presets"
	return []cli.Flag{text("config", usage), setFlag()}
}

func setFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "set", Usage: "one setting, `section.key=value`; may be given often"}
}

// configFlags choose a configuration, also by flags that stand for keys.
func configFlags() []cli.Flag {
	precision := precisionFlag()
	precision.Value = ""
	return append(settingFlags(), deviceFlag(), precision, seedFlag(0), sensorFlag())
}

// runFlags are those of the commands that fill a run folder.
func runFlags(out string, own ...cli.Flag) []cli.Flag {
	results := []cli.Flag{outFlag("run folder to make", out), resumeFlag("from its checkpoint")}
	return slices.Concat(configFlags(), results, reporting(own...))
}

// outFlag is where results go; what says what they are.
func outFlag(what, otherwise string) cli.Flag {
	return &cli.StringFlag{Name: "out", Usage: "`PATH` to write to: " + what, Value: otherwise}
}

func resumeFlag(how string) cli.Flag {
	return &cli.BoolFlag{Name: "resume", Usage: "go on with what is in --out: " + how}
}

func deviceFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "device", Usage: "`DEVICE` to compute on: auto, cpu, cuda or cuda:N",
		Action: func(_ *cli.Context, name string) error {
			if _, err := torch.ParseDevice(name); err != nil {
				return usagef("--%s", strings.TrimPrefix(err.Error(), "torch: "))
			}
			return nil
		},
	}
}

// deviceName is --device, auto where it is not given.
func deviceName(c *cli.Context) string { return cmp.Or(c.String("device"), "auto") }

func precisionFlag() *cli.StringFlag {
	const usage = "`TYPE` of the convolutions, float16 on CUDA alone"
	return choice("precision", usage, "auto", "float32", "bfloat16", "float16")
}

// seedFlag has a default; 0: that of the configuration.
func seedFlag(otherwise int64) cli.Flag {
	const usage = "`N` of which all random numbers come"
	f := &cli.Int64Flag{Name: "seed", Value: otherwise, Usage: usage, Action: atLeast[int64]("seed", 0)}
	if otherwise == 0 {
		f.DefaultText = "the configuration's"
	}
	return f
}

// runSteps is what --max-steps does to a run.
const runSteps = ", with a checkpoint; --resume continues"

func maxStepsFlag(how string) cli.Flag {
	usage := "stop after `N` steps" + how
	return &cli.Int64Flag{Name: "max-steps", DefaultText: "all", Usage: usage, Action: atLeast[int64]("max-steps", 1)}
}

// text is a flag without a default; otherwise, where told, says what that means.
func text(name, usage string, otherwise ...string) *cli.StringFlag {
	return &cli.StringFlag{Name: name, Usage: usage, DefaultText: strings.Join(otherwise, "")}
}

// whole is a flag of a whole number from least on, by default value; otherwise, where told,
// says what a default of 0 means.
func whole(name, usage string, least, value int, otherwise ...string) cli.Flag {
	return &cli.IntFlag{
		Name: name, Usage: usage, Value: value, DefaultText: strings.Join(otherwise, ""), Action: atLeast(name, least),
	}
}

// above is a flag of a number above 0, likewise.
func above(name, usage string, value float64, otherwise ...string) cli.Flag {
	return &cli.Float64Flag{
		Name: name, Usage: usage, Value: value, DefaultText: strings.Join(otherwise, ""),
		Action: func(_ *cli.Context, value float64) error {
			if !(value > 0) {
				return usagef("--%s %g: choose more than 0", name, value)
			}
			return nil
		},
	}
}

// Flags of data sets: which, and the folder that it lies in.
func datasetFlag(what string) *cli.StringFlag {
	return text("dataset", "`NAME` of the data set: "+what)
}
func dirFlag(otherwise string) cli.Flag {
	return text("dir", "folder `DIR` of the data set", otherwise)
}

const usualPlaces = "the usual places" // where data sets are looked for

// Flags of sizes, of which commands say what they take: one number, read by [singles],
// or a list such as 8,32.
func sizeFlag(what, otherwise string) *cli.StringFlag {
	return text("size", "`SIZE` of the images: "+what, otherwise)
}
func stepsFlag(what, otherwise string) cli.Flag {
	return text("steps", "`T` time steps"+what, otherwise)
}
func batchFlag(what, otherwise string) cli.Flag {
	return text("batch", "`N` images of a batch"+what, otherwise)
}
func widthFlag(what, otherwise string) cli.Flag {
	return text("width", "`F`, the width of the network: number of channels"+what, otherwise)
}
func threadsFlag(what string) cli.Flag { return text("threads", "`N` threads"+what, "all cores") }

const (
	orList = ", or a list such as 8,32"
	sides  = "side in pixels, or a list"
)

// Flags of a trained network: that of a run, with the weights of a checkpoint, or a model.
func runFlag() cli.Flag { return text("run", "run folder `DIR` of a training") }
func checkpointFlag() cli.Flag {
	return text("checkpoint", "`FILE` with the weights of --run", "the run's best or last")
}
func modelFlag() cli.Flag { return text("model", "exported model `FILE`, instead of --run") }

// choice is a flag that has few values, the first where it is not given.
func choice(name, usage string, values ...string) *cli.StringFlag {
	usage += ": " + strings.Join(values, ", ")
	return &cli.StringFlag{Name: name, Value: values[0], Usage: usage, Action: oneOf(name, values...)}
}

// oneOf checks a flag that has few values.
func oneOf(flag string, values ...string) func(*cli.Context, string) error {
	return func(_ *cli.Context, value string) error {
		if !slices.Contains(values, value) {
			return usagef("--%s %s: choose one of %s", flag, value, strings.Join(values, ", "))
		}
		return nil
	}
}

// atLeast checks a flag that has a smallest value.
func atLeast[N int | int64](flag string, least N) func(*cli.Context, N) error {
	return func(_ *cli.Context, value N) error {
		if value < least {
			return usagef("--%s %d: choose at least %d", flag, value, least)
		}
		return nil
	}
}

// settings are the --set values and behind them the flags that stand for keys, so
// that a flag wins.
func settings(c *cli.Context) []string {
	sets := slices.Clone(c.StringSlice("set"))
	for _, key := range []string{"run.device", "run.precision", "run.seed", "train.genotype"} {
		if _, flag, _ := strings.Cut(key, "."); c.IsSet(flag) {
			sets = append(sets, fmt.Sprintf("%s=%v", key, c.Value(flag)))
		}
	}
	if width, height := sensorOf(c); width > 0 {
		sets = append(sets, fmt.Sprintf("data.sensor=[%d, %d]", width, height))
	}
	return sets
}

// loadConfig is the configuration that the command line asks for. Where it asks
// for nothing and a run is resumed there is none: the run has its own.
func loadConfig(c *cli.Context, preset string) (*config.Config, error) {
	sets, source := settings(c), cmp.Or(c.String("config"), preset)
	if c.Bool("resume") && !c.IsSet("config") {
		if len(sets) == 0 {
			return nil, nil
		}
		// Settings of a resumed run stand over its own: they must agree with it.
		if _, err := run.Open(c.String("out")); err != nil {
			return nil, err
		}
		source = filepath.Join(c.String("out"), run.ConfigFile)
	}
	return config.Load(source, sets)
}
