package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/train/run"
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
	names := strings.Join(data.Names(), ", ")
	if c.NArg() > 1 {
		return usagef("data info: name one data set or none; choose one of %s", names)
	}
	o := newConsole(c)
	sheet, verify := c.String("sheet"), c.Bool("verify")
	if name := c.Args().First(); name != "" {
		h, err := examine(c, name)
		if err != nil {
			return err
		}
		if verify {
			if err := h.verify(c.Context, o); err != nil {
				return err
			}
		}
		if sheet != "" && h.Sensor != nil {
			return usagef("data info --sheet: %s has no images; spikedhs data preview draws its recordings", name)
		}
		h.print(o)
		if sheet != "" {
			if err := writeSheet(sheet, h.train); err != nil {
				return err
			}
			o.printf("%-15s  some of them are drawn in %s\n", "", sheet)
		}
		return o.object(h)
	}
	if verify || sheet != "" {
		return usagef("data info: --verify and --sheet want the name of a data set; choose one of %s", names)
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

// examine reads both splits of a data set; of one of recordings it lists the files and
// reads one of each.
func examine(c *cli.Context, name string) (holding, error) {
	h := holding{Name: name, Found: true}
	dir := c.String("dir")
	side := data.DefaultSize
	err := singles(c, single{"size", &side})
	if err != nil {
		return h, err
	}
	events := data.IsEvents(name)
	if !events {
		if h.Where, err = data.Locate(name, dir, data.Train); err != nil {
			return h, err
		}
	}
	var recordings data.EventOptions
	recordings.Width, recordings.Height = sensorOf(c)
	for _, half := range []struct {
		split data.Split
		set   *data.Dataset
	}{{data.Train, &h.train}, {data.Test, &h.test}} {
		if events {
			*half.set, err = data.OpenEvents(c.Context, name, dir, half.split, recordings)
		} else {
			*half.set, err = data.OpenWith(c.Context, name, dir, half.split, data.OpenOptions{Size: side, MaxCorrupt: 1})
		}
		if err != nil {
			return h, err
		}
	}
	h.Train, h.Test, h.Classes = h.train.Len(), h.test.Len(), h.train.Classes()
	if set, ok := h.train.(*data.EventSet); ok {
		h.Where, h.Sensor = set.Folder(), []int{set.Options().Width, set.Options().Height}
		return h, nil
	}
	channels, height, width := h.train.Shape()
	h.Shape = []int{channels, height, width}
	return h, nil
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
		if o.ended(err, "") != nil {
			return err
		}
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
	var what string
	if h.Sensor != nil {
		what = fmt.Sprintf("recordings of %d x %d pixels", h.Sensor[0], h.Sensor[1])
	} else {
		what = fmt.Sprintf("images of %d x %d x %d", h.Shape[0], h.Shape[1], h.Shape[2])
	}
	classes := strings.Join(h.Classes[:min(10, len(h.Classes))], ", ")
	if len(h.Classes) > 10 {
		classes += ", ..."
	}
	o.printf("%-15s  %s\n", h.Name, h.Where)
	o.printf("%-15s  %s training and %s test %s, %d classes: %s\n", "", thousands(h.Train), thousands(h.Test), what, len(h.Classes), classes)
	if h.Verified == 0 {
		return
	}
	o.printf("%-15s  %s files decoded, %d of them cannot be read\n", "", thousands(h.Verified), len(h.Corrupt))
	for _, b := range h.Corrupt {
		o.printf("%-15s  %s: %s\n", "", b.Path, b.Error)
	}
}

// writeSheet draws images of a set, spread evenly over it, into a PNG file, row by row.
func writeSheet(path string, set data.Dataset) error {
	const columns, rows, gap = 8, 6, 4 // pixels between images
	c, h, w := set.Shape()
	n := min(columns*rows, set.Len())
	sheet := image.NewRGBA(image.Rect(0, 0, columns*(w+gap)-gap, (n+columns-1)/columns*(h+gap)-gap))
	for i := range sheet.Pix {
		sheet.Pix[i] = 255
	}
	pixels := make([]byte, c*h*w)
	for k := range n {
		if _, err := set.Image(k*set.Len()/n, pixels); err != nil {
			return err
		}
		left, top := k%columns*(w+gap), k/columns*(h+gap)
		for i := range h * w {
			r := pixels[i]
			g, b := r, r
			if c == 3 {
				g, b = pixels[h*w+i], pixels[2*h*w+i]
			}
			sheet.SetRGBA(left+i%w, top+i/w, color.RGBA{r, g, b, 255})
		}
	}
	return existing(run.WriteFileAtomic(path, func(w io.Writer) error { return png.Encode(w, sheet) }))
}
