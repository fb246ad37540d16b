package stereo_test

import (
	"context"
	"fmt"
	"os"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/data/synth"
)

// Example makes two small scenes, takes windows of three stacks from them in batches
// of four, and streams the test scene.
func Example() {
	dir, err := os.MkdirTemp("", "scenes")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	options, _ := synth.Preset("small")
	options.Scenes, options.Frames = 2, 6
	if err := synth.Generate(ctx, dir, options); err != nil {
		fmt.Println(err)
		return
	}
	set, err := stereo.Open(dir, stereo.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	parts, err := set.Split()
	if err != nil {
		fmt.Println(err)
		return
	}
	loader, err := stereo.NewLoader(set, parts.Train, stereo.WindowOptions{Steps: 3, CropHeight: 60, CropWidth: 84}, data.LoaderOptions{Batch: 4, Shuffle: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	batches := loader.Epoch(ctx, 0, 0)
	defer batches.Close()
	batch, err := batches.Next()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(batch.T, batch.N, batch.C, batch.H, batch.W, len(batch.Inputs[0]) == 3*4*5*60*84)
	batch.Release()

	stream, err := set.Stream(ctx, parts.Test, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stream.Close()
	for range stream.Len() {
		step, err := stream.Next()
		if err != nil {
			fmt.Println(err)
			return
		}
		if step.Reset {
			fmt.Println("reset before", step.Frame.Sequence, "of", stream.Len(), "steps")
		}
	}
	// Output:
	// 3 4 5 60 84 true
	// reset before scene_0001 of 6 steps
}
