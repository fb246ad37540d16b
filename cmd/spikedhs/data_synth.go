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
