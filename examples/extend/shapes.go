package main

import (
	"context"
	"math/rand/v2"

	"github.com/spikedhs/spikedhs/data"
)

// A data set is one file: its name, its shape, and how a split is opened. This one draws
// its pictures; yours reads files and wraps data.ErrNotFound and data.ErrFormat.
func init() {
	data.Register(data.Source{
		Name: "shapes", Channels: 1, Height: side, Width: side, Classes: []string{"square", "cross", "ring"},
		Mean: []float32{0.2}, Std: []float32{0.4},
		Open: func(_ context.Context, _ string, split data.Split, _ data.OpenOptions) (data.Dataset, error) {
			return shapes(split)
		},
	})
}

const side = 12

// shapes draws 600 pictures, 200 for the test: a shape of 5 to 7 pixels anywhere, in noise.
func shapes(split data.Split) (data.Dataset, error) {
	n := 600
	if split == data.Test {
		n = 200
	}
	rng := rand.New(rand.NewPCG(1, uint64(split)))
	pixels, labels := make([]byte, n*side*side), make([]int, n)
	for i := range n {
		picture := pixels[i*side*side:][:side*side]
		for k := range picture {
			picture[k] = byte(rng.IntN(64))
		}
		labels[i] = rng.IntN(3)
		size := 5 + rng.IntN(3)
		top, left := rng.IntN(side-size+1), rng.IntN(side-size+1)
		for y := range size {
			for x := range size {
				edge := y == 0 || x == 0 || y == size-1 || x == size-1
				lit := []bool{true, y == size/2 || x == size/2, edge}[labels[i]]
				if lit {
					picture[(top+y)*side+left+x] = byte(160 + rng.IntN(96))
				}
			}
		}
	}
	return data.NewMemory("shapes", []string{"square", "cross", "ring"}, 1, side, side, pixels, labels)
}
