package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search"
	network "github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/stereo/stream"
	"github.com/spikedhs/spikedhs/train/task/stereo"
)

func init() {
	userErrors = append(userErrors, stream.ErrModel, stream.ErrPackets, stream.ErrWindow, network.ErrOptions)
}

func streamCommand() *cli.Command {
	return command("stream",
		"turn the events of two cameras into disparity, one step after the other",
		streamEvents, reporting(
			modelFlag(), runFlag(), checkpointFlag(),
			eventsFlag("a data set's folder, a recording (.dat, .npz), a file of binary events, or - for standard input (required)"),
			outFlag("folder for one file a step; without it nothing, with --format raw standard output", ""),
			formatFlag(), maxDisparityFlag("the largest that the network knows"),
			above("window-ms", "`MS` milliseconds that a stack covers", 0, "as in training"),
			above("every", "a step every `MS` milliseconds", 0, "one a stack"),
			sensorFlag(),
			text("split", "`NAME` of the frames of a folder: train, validation, test, or 1, 2, 3 of MVSEC", "all"),
			&cli.BoolFlag{Name: "no-windowed", Usage: "do not compute windows from rest beside the stream where there is ground truth"},
			maxStepsFlag(""), precisionFlag(), deviceFlag(),
		))
}

// eventsFlag is where the events of two cameras come from.
func eventsFlag(which string) cli.Flag {
	return text("events", "`PATH` of the events: "+which)
}

func maxDisparityFlag(otherwise string) cli.Flag {
	return above("max-disparity", "`PIXELS` of disparity that are the nearest colour of pictures", 0, otherwise)
}

// formatFlag is --format of disparities.
func formatFlag() cli.Flag {
	var formats []string
	for _, f := range stream.Formats() {
		formats = append(formats, string(f))
	}
	return choice("format", "`FORMAT` of the files", formats...)
}

// streamPrecision is that of a model on its device; auto is float32.
func streamPrecision(c *cli.Context, m *stream.Model) (search.Precision, error) {
	p := search.Precision(c.String("precision"))
	if p == search.Float16 && !torch.IsCUDA(m.Device()) {
		return p, usagef("--precision float16: needs a CUDA device; on the CPU use bfloat16 or float32")
	}
	if !p.Short() {
		return search.Float32, nil
	}
	return p, nil
}

func streamEvents(c *cli.Context) (err error) {
	path, err := required(c, "events")
	if err != nil {
		return err
	}
	format, dir := stream.Format(c.String("format")), c.String("out")
	o := newConsole(c)
	if format == stream.Raw && dir == "" {
		o.Writer = c.App.ErrWriter // standard output is for the disparities alone
	}
	model, err := stereoModel(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	source, err := openEvents(c, o, path, model.Info.Binning())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	precision, err := streamPrecision(c, model)
	if err != nil {
		return err
	}
	options := stream.Options{Steps: int(c.Int64("max-steps")), Precision: precision}
	if !c.Bool("no-windowed") {
		options.Window = model.Info.Steps
	}
	switch {
	case dir != "":
		options.Out = stream.FileWriter(dir, format, cmp.Or(c.Float64("max-disparity"), float64(model.Info.MaxDisparity)))
	case format == stream.Raw:
		options.Out = stream.RawWriter(c.App.Writer)
	}
	total := source.Len()
	if options.Steps > 0 && (total == 0 || options.Steps < total) {
		total = options.Steps
	}
	if total > 0 {
		o.progress.Start("stream", "steps", total, 0)
		options.Progress = func(int) { o.progress.Add(1, "") }
	}
	result, err := stream.Run(c.Context, model, source, options)
	if total > 0 {
		err = o.ended(err, "")
	}
	interrupted := errors.Is(err, context.Canceled) // a live stream ends so, and has its summary
	if err != nil && !interrupted {
		return err
	}
	if dir != "" && result.Steps > 0 {
		if err := run.WriteFileAtomic(filepath.Join(dir, "stream.json"), func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(result)
		}); err != nil {
			return err
		}
	}
	printStream(o, result)
	if failed := o.object(result); failed != nil {
		return failed
	}
	return err
}

// openEvents opens the events of two cameras at path.
func openEvents(c *cli.Context, o *console, path string, binning data.Binning) (stream.Source, error) {
	options := stream.SourceOptions{
		Binning: binning, Every: c.Float64("every") / 1000, Split: c.String("split"), Log: o.log, In: c.App.Reader,
	}
	if ms := c.Float64("window-ms"); ms > 0 {
		options.Binning.Width = ms / 1000 / float64(options.Binning.Bins)
	}
	options.Width, options.Height = sensorOf(c)
	source, err := stream.Open(c.Context, path, options)
	return source, existing(err)
}

func printStream(o *console, r stream.Result) {
	o.printf("stream    %s steps of %d x %d, %d sequences, %s events left out\n", thousands(r.Steps), r.Width, r.Height, r.Sequences, thousands(r.Wrong))
	for _, line := range []struct {
		name  string
		speed stream.Speed
	}{{"network", r.Network}, {"with SBT", r.Total}} {
		if line.speed.MillisecondsP50 > 0 {
			o.printf("%-9s %.1f frames/s (median; 19 of 20 steps reach %.1f), %.1f ms a step\n", line.name,
				line.speed.FPSP50, line.speed.FPSP95, line.speed.MillisecondsP50)
		}
	}
	if r.Streaming == nil {
		return
	}
	o.printf("%-9s %8s %10s %12s %12s\n", "", "1PA %", "error px", "depth cm", "median cm")
	for _, line := range []struct {
		name string
		s    *stream.Scores
	}{{"streaming", r.Streaming}, {fmt.Sprintf("window %d", r.Window), r.Windowed}} {
		o.printf("%-9s %8.2f %10.3f %12.1f %12.1f   %s frames\n", line.name, line.s.OnePixelAccuracy, line.s.MeanDisparityError,
			line.s.MeanDepthError, line.s.MedianDepthError, thousands(line.s.Frames))
	}
}

// stereoModel is the network of --model or --run in its inference form; that of a run has
// the cameras of the run's data where these are at hand.
func stereoModel(c *cli.Context) (*stream.Model, error) {
	file, dir := c.String("model"), c.String("run")
	switch {
	case (file == "") == (dir == ""):
		return nil, usagef("%s: give one of --model and --run; see %s --help", commandName(c), c.Command.HelpName)
	case file != "":
		device, err := torch.ParseDevice(deviceName(c))
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(file); err != nil {
			return nil, existing(err)
		}
		if err := train.SetKernels(&config.Default().Run); err != nil {
			return nil, err
		}
		return stream.Load(file, device)
	}
	trained, err := openTrained(c)
	if err != nil {
		return nil, err
	}
	n, ok := trained.Network.(*stereo.Network)
	if !ok {
		return nil, errors.Join(usagef("%s: %s is a run of %s, not of stereo", commandName(c), dir, trained.Task.Name()), trained.Close())
	}
	m, err := n.Model(version, trained.Score)
	return m, errors.Join(err, trained.Close())
}
