package main

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
)

// holding is what is known of one data set.
type holding struct {
	Name    string   `json:"name"`
	Found   bool     `json:"found"`
	Where   string   `json:"where,omitempty"`
	Train   int      `json:"train,omitempty"`
	Test    int      `json:"test,omitempty"`
	Shape   []int    `json:"shape,omitempty"`
	Sensor  []int    `json:"sensor,omitempty"` // of recordings of events: width, height
	Classes []string `json:"classes,omitempty"`
	Advice  string   `json:"advice,omitempty"`
	// Verified are the image files that were decoded, Corrupt those of them that
	// cannot be read.
	Verified int       `json:"verified,omitempty"`
	Corrupt  []badFile `json:"corrupt,omitempty"`

	train, test data.Dataset
}

// badFile is an image file that cannot be read.
type badFile struct {
	Path  string `json:"path"`
	Error string `json:"error"`
}

func dataInfo(c *cli.Context) error {
	if c.NArg() > 1 {
		return usagef("data info: name one data set or none; choose one of %s", strings.Join(data.Names(), ", "))
	}
	o := newConsole(c)
	if name := c.Args().First(); name != "" {
		h, err := examine(c, name)
		if err != nil {
			return err
		}
		if c.Bool("verify") {
			if err := h.verify(c.Context, o); err != nil {
				return err
			}
		}
		h.print(o)
		if path := c.String("sheet"); path != "" {
			if err := writeSheet(path, h.train); err != nil {
				return err
			}
			o.printf("%-15s  some of them are drawn in %s\n", "", path)
		}
		return o.object(h)
	}
	if c.Bool("verify") || c.String("sheet") != "" {
		return usagef("data info: --verify and --sheet want the name of a data set; choose one of %s", strings.Join(data.Names(), ", "))
	}
	list := []holding{}
	for _, name := range data.Names() {
		h, err := examine(c, name)
		switch {
		case errors.Is(err, data.ErrNotFound), errors.Is(err, data.ErrFormat):
			h = holding{Name: name, Advice: err.Error()}
		case err != nil:
			return err
		}
		h.print(o)
		list = append(list, h)
	}
	return o.object(map[string]any{"sets": list})
}

// examine reads both splits of a data set.
func examine(c *cli.Context, name string) (holding, error) {
	ctx, dir := c.Context, c.String("dir")
	if data.IsEvents(name) {
		return examineEvents(ctx, name, dir)
	}
	options := data.OpenOptions{Size: c.Int("size"), MaxCorrupt: 1}
	where, err := data.Locate(name, dir, data.Train)
	if err != nil {
		return holding{}, err
	}
	train, err := data.OpenWith(ctx, name, dir, data.Train, options)
	if err != nil {
		return holding{}, err
	}
	test, err := data.OpenWith(ctx, name, dir, data.Test, options)
	if err != nil {
		return holding{}, err
	}
	channels, height, width := train.Shape()
	return holding{
		Name: name, Found: true, Where: where, Train: train.Len(), Test: test.Len(),
		Shape: []int{channels, height, width}, Classes: train.Classes(),
		train: train, test: test,
	}, nil
}

// examineEvents lists both splits of a set of recordings; its files are not read,
// but for one of each.
func examineEvents(ctx context.Context, name, dir string) (holding, error) {
	train, err := data.OpenEvents(ctx, name, dir, data.Train, data.EventOptions{})
	if err != nil {
		return holding{}, err
	}
	test, err := data.OpenEvents(ctx, name, dir, data.Test, data.EventOptions{})
	if err != nil {
		return holding{}, err
	}
	o := train.Options()
	return holding{
		Name: name, Found: true, Where: train.Folder(), Train: train.Len(), Test: test.Len(),
		Sensor: []int{o.Width, o.Height}, Classes: train.Classes(),
	}, nil
}

// verify decodes every image file of both splits.
func (h *holding) verify(ctx context.Context, o *console) error {
	for _, set := range []data.Dataset{h.train, h.test} {
		folder, ok := set.(*data.ImageFolder)
		if !ok {
			return usagef("data info --verify: %s has no image files; its files are checked whenever they are read", h.Name)
		}
		o.progress.Start("verify", "files", folder.Len(), 0)
		var mu sync.Mutex // files are decoded on all cores
		bad, err := folder.Verify(ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			o.progress.Add(1, "")
		})
		if err != nil {
			o.progress.Stop()
			return err
		}
		o.progress.End("")
		h.Verified += folder.Len()
		for _, b := range bad {
			h.Corrupt = append(h.Corrupt, badFile{b.Path, b.Err.Error()})
		}
	}
	return nil
}

func (h holding) print(o *console) {
	if !h.Found {
		o.printf("%-15s  not found: %s\n", h.Name, strings.TrimPrefix(h.Advice, h.Name+": "))
		return
	}
	o.printf("%-15s  %s\n", h.Name, h.Where)
	if h.Sensor != nil {
		o.printf("%-15s  %s training and %s test recordings of %d x %d pixels, %d classes: %s\n", "",
			thousands(h.Train), thousands(h.Test), h.Sensor[0], h.Sensor[1], len(h.Classes), few(h.Classes))
		return
	}
	o.printf("%-15s  %s training and %s test images of %d x %d x %d, %d classes: %s\n", "",
		thousands(h.Train), thousands(h.Test), h.Shape[0], h.Shape[1], h.Shape[2], len(h.Classes), few(h.Classes))
	if h.Verified == 0 {
		return
	}
	o.printf("%-15s  %s files decoded, %d of them cannot be read\n", "", thousands(h.Verified), len(h.Corrupt))
	for _, b := range h.Corrupt {
		o.printf("%-15s  %s: %s\n", "", b.Path, b.Error)
	}
}

// few names at most ten classes.
func few(classes []string) string {
	if len(classes) > 10 {
		return strings.Join(classes[:10], ", ") + ", ..."
	}
	return strings.Join(classes, ", ")
}
