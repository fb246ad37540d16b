package main

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data/synth"
)

func dataSynth(c *cli.Context) error {
	out, err := required(c, "out")
	if err != nil {
		return err
	}
	options, err := synth.Preset(c.String("preset"))
	if err != nil {
		return err
	}
	options.Scenes, options.Frames, options.Seed = c.Int("scenes"), c.Int("frames"), uint64(c.Int64("seed"))
	options.Camera.Sigma, options.Camera.NoiseRate = c.Float64("sigma"), c.Float64("noise")
	options.Layout.Plain = c.Float64("plain")
	options.Sparsity = synth.Sparsity{Rows: c.Float64("lidar-rows"), Pixels: c.Float64("lidar-pixels"), NoOcclusion: c.Bool("no-occlusion")}
	if options.Sparsity.Rows == 1 {
		options.Sparsity.Rows = 0 // all
	}
	if options.Sparsity.Pixels == 1 {
		options.Sparsity.Pixels = 0
	}
	o := newConsole(c)
	count := counter(o.progress, "scenes", "frames")
	options.Progress = count
	start := time.Now()
	if err := synth.Generate(c.Context, out, options); err != nil {
		o.progress.Stop()
		return err
	}
	seconds := time.Since(start).Seconds()
	rate := float64(options.Scenes) / seconds
	o.progress.End(fmt.Sprintf("%.2f scenes/s", rate))
	o.printf("%s: %d scenes of %d frames, %.1f s\n", out, options.Scenes, options.Frames, seconds)
	return o.object(map[string]any{"folder": out, "scenes": options.Scenes, "frames": options.Frames, "seconds": seconds, "scenes_per_s": rate})
}
