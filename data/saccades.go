package data

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spikedhs/spikedhs/data/events"
	"github.com/spikedhs/spikedhs/data/internal/ordered"
)

// WriteSaccades makes a recording of every image of a set, as an event camera sees
// it in saccades, and writes them as N-MNIST's are: dir/Train or dir/Test, a folder
// for each class, which is its number, and in it 00001.bin and so on, numbered in
// the order of the set. dir/classes.txt has the names of the classes. [OpenEvents]
// reads such a folder as "event-folder", or as "n-mnist" where there are digits.
// Colour images are made grey. An image that gives no event has no file, since
// there is no such recording.
//
// done, when given, is told each image. It fails where the folder of the split exists,
// where an image cannot be read or a file not be written, and with the error of ctx.
func WriteSaccades(ctx context.Context, set Dataset, dir string, split Split, s events.Saccade, done func()) error {
	name := map[Split]string{Train: "Train", Test: "Test"}[split]
	if name == "" {
		return fmt.Errorf("saccade: no split %v; choose train or test", split)
	}
	c, h, w := set.Shape()
	if c != 1 && c != 3 {
		return fmt.Errorf("saccade: %s has %d channels; want 1 or 3", set.Name(), c)
	}
	folder := filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		if errors.Is(err, os.ErrExist) {
			return fmt.Errorf("saccade: %s exists; remove it or choose another folder%.0w", folder, err)
		}
		return err
	}
	classes := set.Classes()
	for label := range classes {
		if err := os.Mkdir(filepath.Join(folder, strconv.Itoa(label)), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ClassesFile), []byte(strings.Join(classes, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	record := func(i int, pixels []byte) error {
		label, err := set.Image(i, pixels)
		if err != nil {
			return err
		}
		list, err := s.Record(grey(pixels, c), h, w)
		if err != nil || len(list) == 0 {
			return err
		}
		content, err := events.EncodeAER(list)
		if err != nil {
			return fmt.Errorf("saccade: image %d: %w", i, err)
		}
		return os.WriteFile(filepath.Join(folder, strconv.Itoa(label), fmt.Sprintf("%05d.bin", i+1)), content, 0o644)
	}
	return ordered.Each(ctx, set.Len(), 0, func(context.Context) func(int) error {
		pixels := make([]byte, c*h*w)
		return func(i int) error { return record(i, pixels) }
	}, done)
}

// grey is the luma (BT.601) of an image of C,H,W planes.
func grey(pixels []byte, channels int) []byte {
	if channels == 1 {
		return pixels
	}
	n := len(pixels) / channels
	out := make([]byte, n)
	for i := range out {
		out[i] = byte((299*int(pixels[i]) + 587*int(pixels[n+i]) + 114*int(pixels[2*n+i]) + 500) / 1000)
	}
	return out
}
