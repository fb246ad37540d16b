package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/stereo/stream"
)

func streamCommand() *cli.Command {
	return &cli.Command{
		Name:  "stream",
		Usage: "turn the events of two cameras into disparity, one step after the other",
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "model", Usage: "exported stereo model `FILE`"},
			&cli.StringFlag{Name: "run", Usage: "run folder `DIR` of a stereo training, instead of --model"},
			&cli.StringFlag{Name: "checkpoint", Usage: "`FILE` with the weights instead of the run's best checkpoint"},
			&cli.StringFlag{Name: "events", Usage: "`PATH` of a data set's folder, a recording (.dat, .npz), a file of binary events, or - for standard input (required)"},
			&cli.StringFlag{Name: "out", Usage: "folder `DIR` for one file a step (default: none; with --format raw standard output)"},
			formatFlag(""),
			&cli.Float64Flag{Name: "largest", Usage: "disparity of `PX` pixels that is red in pictures (default: the largest that the network knows)"},
			&cli.Float64Flag{Name: "window-ms", Usage: "`MS` milliseconds that a stack covers (default: as in training)"},
			&cli.Float64Flag{Name: "every", Usage: "a step every `MS` milliseconds (default: one a stack)"},
			&cli.StringFlag{Name: "size", Usage: "`HxW` of the sensors of a recording (default: 128x128)"},
			&cli.StringFlag{Name: "split", Usage: "`NAME` of the frames of a folder: train, validation, test, or 1, 2, 3 of MVSEC (default: all)"},
			&cli.BoolFlag{Name: "no-windowed", Usage: "do not compute windows from rest beside the stream where there is ground truth"},
			&cli.IntFlag{Name: "max-steps", Usage: "stop after `N` steps", Action: atLeast("max-steps", 1)},
			streamPrecisionFlag(""),
			deviceFlag(), jsonFlag(),
		}, logFlags()),
		Action: streamEvents,
	}
}

// formatFlag is --format of disparities; its text begins with about.
func formatFlag(about string) cli.Flag {
	var formats []string
	for _, f := range stream.Formats() {
		formats = append(formats, string(f))
	}
	return &cli.StringFlag{Name: "format", Value: string(stream.PNG), Usage: about + "`FORMAT` of the files: " + strings.Join(formats, ", "), Action: oneOf("format", formats...)}
}

// streamPrecisionFlag is --precision of a stereo network that is used, not trained.
func streamPrecisionFlag(about string) cli.Flag {
	return &cli.StringFlag{Name: "precision", Value: "auto", Usage: about + "`TYPE` of the convolutions: auto (float32), float32, bfloat16 or float16 (CUDA)", Action: oneOf("precision", "auto", "float32", "bfloat16", "float16")}
}

// streamPrecision is that of a model on its device.
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
	format := stream.Format(c.String("format"))
	o := newConsole(c)
	pictures := o.Writer
	if format == stream.Raw && c.String("out") == "" {
		o.Writer = c.App.ErrWriter // standard output is for the pictures alone
	}
	model, err := stereoModel(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	source, err := openEvents(c, o, path, model)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	precision, err := streamPrecision(c, model)
	if err != nil {
		return err
	}
	options := stream.Options{Steps: c.Int("max-steps"), Precision: precision}
	if !c.Bool("no-windowed") {
		options.Window = model.Info.Steps
	}
	largest := float64(model.Info.MaxDisparity)
	if c.IsSet("largest") {
		if largest = c.Float64("largest"); !(largest > 0) {
			return usagef("--largest %g: choose more than 0", largest)
		}
	}
	switch dir := c.String("out"); {
	case dir != "":
		options.Out = stream.FileWriter(dir, format, largest)
	case format == stream.Raw:
		options.Out = stream.RawWriter(pictures)
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
		if err == nil {
			o.progress.End("")
		} else {
			o.progress.Stop()
		}
	}
	interrupted := errors.Is(err, context.Canceled) // a live stream ends so, and has its summary
	if err != nil && !interrupted {
		return err
	}
	if dir := c.String("out"); dir != "" && result.Steps > 0 {
		if err := writeSummary(filepath.Join(dir, "stream.json"), result); err != nil {
			return err
		}
	}
	printStream(o, result)
	if failed := o.object(result); failed != nil {
		return failed
	}
	return err
}

// openEvents opens what --events names.
func openEvents(c *cli.Context, o *console, path string, m *stream.Model) (stream.Source, error) {
	options := stream.SourceOptions{
		Binning: m.Info.Binning(), Every: c.Float64("every") / 1000, Split: c.String("split"), Log: o.log, In: os.Stdin,
	}
	if c.App.Reader != nil {
		options.In = c.App.Reader
	}
	if ms := c.Float64("window-ms"); c.IsSet("window-ms") {
		if !(ms > 0) {
			return nil, usagef("--window-ms %g: choose more than 0", ms)
		}
		options.Binning.Width = ms / 1000 / float64(options.Binning.Bins)
	}
	if c.IsSet("every") && !(options.Every > 0) {
		return nil, usagef("--every %g: choose more than 0", c.Float64("every"))
	}
	if text := c.String("size"); text != "" {
		var err error
		if options.Height, options.Width, err = parseSize(text); err != nil {
			return nil, err
		}
	}
	source, err := stream.Open(c.Context, path, options)
	return source, existing(err)
}

// parseSize reads HxW.
func parseSize(text string) (height, width int, err error) {
	h, w, ok := strings.Cut(text, "x")
	if ok {
		if height, err = strconv.Atoi(h); err == nil {
			width, err = strconv.Atoi(w)
		}
	}
	if !ok || err != nil || height < 1 || width < 1 {
		return 0, 0, usagef("--size %s: want rows and columns, such as 260x346", text)
	}
	return height, width, nil
}

func writeSummary(path string, result stream.Result) error {
	return run.WriteFileAtomic(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(result)
	})
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
