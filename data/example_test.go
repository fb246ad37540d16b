package data_test

import (
	"context"
	"fmt"
	"io"

	"github.com/spikedhs/spikedhs/data"
)

// Four 2x2 grey images are padded to 4x4, put in random order and read in two
// batches. data.Open would give a published set in place of data.NewMemory.
func Example() {
	pixels := []byte{
		0, 0, 0, 0,
		255, 0, 0, 255,
		0, 255, 255, 0,
		255, 255, 255, 255,
	}
	set, err := data.NewMemory("dots", []string{"blank", "diagonal", "full"}, 1, 2, 2, pixels, []int{0, 1, 1, 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	loader, err := data.NewLoader(set, data.LoaderOptions{
		Batch:   3,
		Seed:    1,
		Shuffle: true,
		Augment: data.Augment{Pad: 1, Flip: true},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	batches := loader.Epoch(context.Background(), 0, 0)
	defer batches.Close()
	images := 0
	for {
		batch, err := batches.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("batch %d: %d images of %dx%dx%d\n", batch.Index, batch.N, batch.C, batch.H, batch.W)
		images += batch.N
		batch.Release()
	}
	fmt.Println(images, "images in all")
	// Output:
	// batch 0: 3 images of 1x4x4
	// batch 1: 1 images of 1x4x4
	// 4 images in all
}
