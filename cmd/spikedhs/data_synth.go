package main

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data/mvsec"
	"github.com/spikedhs/spikedhs/data/synth"
)

func dataSynthCommand() *cli.Command {
	return command("synth", "make scenes for event stereo, with exact disparity", dataSynth, reporting(
		&cli.StringFlag{Name: "preset", Value: "small", Usage: "`NAME` of the cameras: small (132 x 96), dvs128 (128 x 128) or full (346 x 260, like MVSEC)", Action: oneOf("preset", synth.Presets()...)},
		whole("scenes", "make `N` scenes", 1, 20),
		framesFlag("50 ms each, of every scene"),
		seedFlag(1),
		outFlag("folder to fill; scenes that are there already are kept", ""),
		&cli.Float64Flag{Name: "noise", Usage: "events without a cause, `HZ` for each pixel"},
		&cli.Float64Flag{Name: "plain", Usage: "`PART` of the scenes with a wall of one grey, without events, and smaller things before it"},
		&cli.Float64Flag{Name: "sigma", Value: 0.03, Usage: "`X`, standard deviation of the threshold"},
		&cli.Float64Flag{Name: "lidar-rows", Value: 1, Usage: "`PART` of the rows that have labels"},
		&cli.Float64Flag{Name: "lidar-pixels", Value: 1, Usage: "`PART` of the pixels of such a row that have labels"},
		&cli.BoolFlag{Name: "no-occlusion", Usage: "no labels where the right camera does not see the point"},
	))
}

func framesFlag(which string) cli.Flag {
	return whole("frames", "`N` frames: "+which, 1, 40)
}

func dataSynth(c *cli.Context) error {
	out, err := required(c, "out")
	if err != nil {
		return err
	}
	options, err := synth.Preset(c.String("preset"))
	if err != nil {
		return err
	}
	part := func(flag string) float64 { // 0: all
		if x := c.Float64(flag); x != 1 {
			return x
		}
		return 0
	}
	options.Scenes, options.Frames, options.Seed = c.Int("scenes"), c.Int("frames"), uint64(c.Int64("seed"))
	options.Camera.Sigma, options.Camera.NoiseRate = c.Float64("sigma"), c.Float64("noise")
	options.Layout.Plain = c.Float64("plain")
	options.Sparsity = synth.Sparsity{Rows: part("lidar-rows"), Pixels: part("lidar-pixels"), NoOcclusion: c.Bool("no-occlusion")}
	o := newConsole(c)
	options.Progress = counter(o.progress, "scenes", "frames")
	start := time.Now()
	err = synth.Generate(c.Context, out, options)
	seconds := time.Since(start).Seconds()
	rate := float64(options.Scenes) / seconds
	if o.ended(err, fmt.Sprintf("%.2f scenes/s", rate)) != nil {
		return err
	}
	o.printf("%s: %d scenes of %d frames, %.1f s\n", out, options.Scenes, options.Frames, seconds)
	return o.object(map[string]any{"folder": out, "scenes": options.Scenes, "frames": options.Frames, "seconds": seconds, "scenes_per_s": rate})
}

func dataConvertCommand() *cli.Command {
	return command("convert-mvsec",
		"make the folder of a sequence from MVSEC's HDF5 files",
		dataConvertMVSEC, reporting(
			eventsFlag("a file such as indoor_flying1_data.hdf5"),
			text("gt", "`FILE` with the depth, such as indoor_flying1_gt.hdf5"),
			text("calib", "folder `DIR` of the rectification maps, such as indoor_flying_calib"),
			outFlag("folder to fill, such as mvsec/indoor_flying_1; frames that are there already are kept", ""),
		))
}

func dataConvertMVSEC(c *cli.Context) error {
	o := newConsole(c)
	options := mvsec.Options{Log: o.log, Progress: counter(o.progress, "convert", "frames")}
	for _, path := range []struct {
		flag string
		to   *string
	}{{"events", &options.Data}, {"gt", &options.GT}, {"calib", &options.Calib}, {"out", &options.Out}} {
		var err error
		if *path.to, err = required(c, path.flag); err != nil {
			return err
		}
	}
	result, err := mvsec.Convert(c.Context, options)
	if o.ended(err, fmt.Sprintf("%d frames kept", result.Kept)) != nil {
		return err
	}
	o.printf("%s: %d frames, of which %d were there; %d events of the others, %d outside of the rectified picture\n",
		options.Out, result.Frames, result.Kept, result.Counts.Events, result.Outside)
	return o.object(map[string]any{
		"folder": options.Out, "frames": result.Frames, "kept": result.Kept, "events": result.Counts.Events, "outside": result.Outside,
		"unsorted": result.Counts.Unsorted, "out_of_frame": result.Counts.OutOfFrame, "bad_polarity": result.Counts.BadPolarity,
		"frames_without_label": result.Counts.Unlabelled,
	})
}
