package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/cmd/spikedhs/internal/doctor"
	"github.com/spikedhs/spikedhs/train/bench"
)

func benchLIFCommand() *cli.Command {
	vs := vsFlag("spikingjelly, whose neuron is measured beside ours in one process")
	vs.Action = oneOf("vs", "spikingjelly")
	return &cli.Command{
		Name: "lif", Usage: "the neuron's bandwidth, beside a plain copy's",
		Flags: slices.Concat([]cli.Flag{
			batchFlag("", "32"), widthFlag("", "64"), stepsFlag("", "6"), sizeFlag("rows and columns", "64"), threadsFlag(orList), vs,
			pythonFlag(), pythonDeviceFlag(), precisionFlag(), deviceFlag(),
		}, measureFlags()),
		Action: runBenchLIF,
	}
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
