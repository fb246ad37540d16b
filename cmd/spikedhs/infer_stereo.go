package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/train/stereo/stream"
)

// windowModels heads the flags of infer that stereo models alone take.
const windowModels = "Stereo models"

func windowFlags() []cli.Flag {
	return of(windowModels, runFlag(), checkpointFlag(),
		whole("frame", "number `I` of the window's last step, from 0", 0, 0, "the last one"),
		outFlag("a file, or a folder for one file each; without it nothing, with --format raw standard output", ""),
		formatFlag(), precisionFlag())
}

// infersWindows tells whether the model of infer is a stereo network, and refuses
// flags that it does not take.
func infersWindows(c *cli.Context) (bool, error) {
	file, dir := c.String("model"), c.String("run")
	if file == "" && dir == "" {
		return false, nil // which is told later
	}
	if file != "" {
		if _, err := os.Stat(file); err != nil {
			return false, existing(err)
		}
	}
	if dir == "" && c.IsSet("checkpoint") {
		return false, usagef("infer: --checkpoint goes with --run; an exported model has its weights in it")
	}
	if dir != "" || stream.IsModel(file) {
		return true, refuseFlags(c, classModels, "a model that names classes; this one gives disparities of recordings of two event cameras")
	}
	return false, refuseFlags(c, windowModels, "a stereo model; this one names classes")
}

// inferredWindow is what the model says about one window of events.
type inferredWindow struct {
	Events   string  `json:"events"`
	Sequence string  `json:"sequence,omitempty"`
	Frame    int     `json:"frame"`
	Time     float64 `json:"time_s"` // at which the window ends
	Width    int     `json:"width"`
	Height   int     `json:"height"`
	stream.Summary
	Wrong int    `json:"events_left_out"`
	File  string `json:"file,omitempty"`
}

// inferWindows gives the disparity of the last step of a window of each input.
func inferWindows(c *cli.Context) (err error) {
	paths := c.Args().Slice()
	if len(paths) == 0 {
		return usagef("infer: name recordings of two event cameras (.dat, .npz), files of binary events, or folders of one sequence each")
	}
	format, files, err := windowFiles(c, paths)
	if err != nil {
		return err
	}
	o := newConsole(c)
	if format == stream.Raw && files == nil {
		if o.json {
			return usagef("infer: --format raw and --json both want standard output; give --out as well")
		}
		o.Writer = c.App.ErrWriter // standard output is for the disparities alone
	}
	model, err := stereoModel(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	list := make([]inferredWindow, len(paths))
	for i, path := range paths {
		d, err := windowOf(c, o, model, path)
		if err != nil {
			return err
		}
		list[i] = inferredWindow{
			Events: path, Sequence: d.Step.Frame.Sequence, Frame: d.Step.Frame.Index, Time: d.Step.Time,
			Width: d.Step.W, Height: d.Step.H, Summary: d.Summary(), Wrong: d.Wrong,
		}
		switch {
		case files != nil:
			list[i].File = files[i]
			if err = os.MkdirAll(filepath.Dir(files[i]), 0o777); err == nil {
				err = stream.WriteFile(files[i], format, d.Step, d.Values, float64(model.Info.MaxDisparity))
			}
		case format == stream.Raw:
			err = stream.RawWriter(c.App.Writer)(d.Step, d.Values)
		}
		if err != nil {
			return err
		}
		list[i].print(o)
	}
	return o.object(map[string]any{"model": cmp.Or(c.String("model"), c.String("run")), "steps": model.Info.Steps, "windows": list})
}

// windowOf computes the disparities of one input.
func windowOf(c *cli.Context, o *console, m *stream.Model, path string) (d *stream.Disparities, err error) {
	source, err := openEvents(c, o, path, m.Info.Binning())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	width, height := sensorOf(c)
	if r := source.Rig(); width > 0 && (r.Height != height || r.Width != width) {
		return nil, usagef("infer: %s has pictures of %dx%d, --sensor says %dx%d; leave it away", path, r.Width, r.Height, width, height)
	}
	precision, err := streamPrecision(c, m)
	if err != nil {
		return nil, err
	}
	options := stream.WindowOptions{Precision: precision}
	if c.IsSet("frame") {
		frame := c.Int("frame")
		options.Frame = &frame
	}
	d, err = stream.Window(c.Context, m, source, options)
	if errors.Is(err, stream.ErrWindow) || errors.Is(err, stream.ErrPackets) {
		return nil, usagef("infer: %s: %v", path, err)
	}
	return d, err
}

// windowFiles are the form of the disparities and the files that they go to, nil
// without --out.
func windowFiles(c *cli.Context, paths []string) (stream.Format, []string, error) {
	format, out := stream.Format(c.String("format")), c.String("out")
	if out == "" {
		return format, nil, nil
	}
	ending := strings.TrimPrefix(filepath.Ext(out), ".")
	if i := slices.IndexFunc(stream.Formats(), func(f stream.Format) bool { return f.Extension() == ending }); i >= 0 { // one file
		if len(paths) > 1 {
			return "", nil, usagef("infer: --out %s is one file for %d inputs; name a folder", out, len(paths))
		}
		if !c.IsSet("format") {
			format = stream.Formats()[i]
		}
		if format.Extension() != ending {
			return "", nil, usagef("infer: --out %s does not end in .%s, as files of --format %s do", out, format.Extension(), format)
		}
		return format, []string{out}, nil
	}
	var files []string
	for _, path := range paths {
		name := "stdin"
		if path != "-" {
			name = filepath.Base(filepath.Clean(path))
			name = strings.TrimSuffix(name, filepath.Ext(name))
		}
		file := filepath.Join(out, name+"."+format.Extension())
		if slices.Contains(files, file) {
			return "", nil, usagef("infer: two inputs would be written to %s; infer them one at a time, each to its own --out", file)
		}
		files = append(files, file)
	}
	return format, files, nil
}

func (w inferredWindow) print(o *console) {
	line := fmt.Sprintf("%s frame %d: disparity %.2f to %.2f px, median %.2f", w.Events, w.Frame, w.Min, w.Max, w.Median)
	if w.Depth != nil {
		line += fmt.Sprintf(" (%.2f m)", *w.Depth)
	}
	line += fmt.Sprintf("; %.1f %% of the pixels have events; %.0f ms", w.Coverage, w.Milliseconds)
	if w.Wrong > 0 {
		line += fmt.Sprintf("; %s events left out", thousands(w.Wrong))
	}
	if w.File != "" {
		line += " -> " + w.File
	}
	o.printf("%s\n", line)
}
