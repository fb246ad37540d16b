package data_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"log"
	"os"
	"path/filepath"

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

// A folder of image files, a folder for each class.
func ExampleOpenWith() {
	root, err := os.MkdirTemp("", "photos")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(root)
	for k, class := range []string{"cat", "dog"} {
		dir := filepath.Join(root, "train", class)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			log.Fatal(err)
		}
		file, err := os.Create(filepath.Join(dir, "one.png"))
		if err != nil {
			log.Fatal(err)
		}
		picture := image.NewGray(image.Rect(0, 0, 40, 30))
		picture.Pix[0] = uint8(k)
		if err := errors.Join(png.Encode(file, picture), file.Close()); err != nil {
			log.Fatal(err)
		}
	}
	set, err := data.OpenWith(context.Background(), "image-folder", root, data.Train, data.OpenOptions{Size: 32})
	if err != nil {
		log.Fatal(err)
	}
	c, h, w := set.Shape()
	label, err := set.Image(1, make([]byte, c*h*w))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Len(), "images of", c, h, w, "- number 1 is a", set.Classes()[label])
	// Output: 2 images of 3 32 32 - number 1 is a dog
}

// A program's own data set, by the name that data.name takes.
func ExampleRegister() {
	data.Register(data.Source{
		Name: "squares", Channels: 1, Height: 2, Width: 2, Classes: []string{"left", "right"},
		Open: func(_ context.Context, _ string, split data.Split, _ data.OpenOptions) (data.Dataset, error) {
			pixels, labels := []byte{255, 0, 255, 0, 0, 255, 0, 255}, []int{0, 1}
			return data.NewMemory("squares "+split.String(), []string{"left", "right"}, 1, 2, 2, pixels, labels)
		},
	})
	set, err := data.Open(context.Background(), "squares", "", data.Train)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(set.Name(), set.Len(), data.Side("squares", 0, nil))
	// It prints: squares train 2 2. It is not run here, as a name can be registered once.
}
