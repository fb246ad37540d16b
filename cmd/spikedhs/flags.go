package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// configFlags choose a configuration.
func configFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "`FILE|PRESET` of settings; spikedhs config list names the presets"},
		&cli.StringSliceFlag{Name: "set", Usage: "one setting, `section.key=value`; may be given often"},
		deviceFlag(),
		&cli.StringFlag{Name: "precision", Usage: "`TYPE` of the convolutions: auto, float32, bfloat16 or float16 (CUDA)", Action: oneOf("precision", "auto", "float32", "bfloat16", "float16")},
		&cli.Int64Flag{Name: "seed", Usage: "`N` of which all random numbers come", Action: atLeast[int64]("seed", 0)},
	}
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

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print one JSON object"}
}

// logFlags choose what is told on standard error.
func logFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "log-format", Value: "text", Usage: "`FORMAT` of progress and logs: text or json", Action: oneOf("log-format", "text", "json")},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "log more"},
	}
}

// runFlags are those of the commands that fill a run folder.
func runFlags(out string) []cli.Flag {
	return slices.Concat(configFlags(), []cli.Flag{
		&cli.StringFlag{Name: "out", Value: out, Usage: "run folder `DIR` to make"},
		&cli.BoolFlag{Name: "resume", Usage: "continue the run in --out from its checkpoint"},
		jsonFlag(),
	}, logFlags())
}

// settings are the --set values and behind them the flags that stand for keys, so
// that a flag wins.
func settings(c *cli.Context) []string {
	sets := slices.Clone(c.StringSlice("set"))
	if c.IsSet("device") {
		sets = append(sets, "run.device="+c.String("device"))
	}
	if c.IsSet("precision") {
		sets = append(sets, "run.precision="+c.String("precision"))
	}
	if c.IsSet("seed") {
		sets = append(sets, fmt.Sprintf("run.seed=%d", c.Int64("seed")))
	}
	if c.IsSet("genotype") {
		sets = append(sets, "train.genotype="+c.String("genotype"))
	}
	return sets
}

// loadConfig is the configuration that the command line asks for. Where it asks
// for nothing and a run is resumed there is none: the run has its own.
func loadConfig(c *cli.Context, preset string) (*config.Config, error) {
	sets, source := settings(c), c.String("config")
	if source == "" {
		source = preset
	}
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
