package mvsec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/hdf5"
	"github.com/spikedhs/spikedhs/data/internal/ordered"
	"github.com/spikedhs/spikedhs/data/npy"
	"github.com/spikedhs/spikedhs/data/stereo"
)

// Paths in the HDF5 files.
const (
	leftEvents  = "davis/left/events"
	rightEvents = "davis/right/events"
	depthImages = "davis/left/depth_image_rect"
	depthTimes  = "davis/left/depth_image_rect_ts"
)

// focalBaseline is focal length times baseline in px m, by the calibration's name: the
// fourth number of the right camera's projection matrix, without its sign.
var focalBaseline = map[string]float64{
	"indoor_flying": 19.941771812941038,
	"outdoor_day":   19.635287,
	"outdoor_night": 19.651191,
}

// Options say what [Convert] converts.
type Options struct {
	// Data is the file with the events, such as indoor_flying1_data.hdf5.
	Data string
	// GT is the file with the depth, such as indoor_flying1_gt.hdf5.
	GT string
	// Calib is the folder of the rectification maps, such as that of
	// indoor_flying_calib.zip: PREFIX_left_x_map.txt and three more.
	Calib string
	// Out is the folder of the sequence to make, such as mvsec/indoor_flying_1.
	Out string
	// Workers is how many frames are written at a time. Default 0: one for each core.
	Workers int
	// Log is told of bad data. Default: none.
	Log *slog.Logger
	// Progress, which may be nil, is told how many of all frames are done.
	Progress func(done, total int)
}

// Result is what [Convert] found.
type Result struct {
	// Frames is the number of frames of the sequence, Kept how many of them were there
	// already.
	Frames, Kept int
	// Counts is what was found, and left out, in the events of the frames made now. Its
	// OutOfFrame counts pixels that the sensor does not have; those that rectification
	// moves out of the picture are in Outside.
	Counts stereo.Counts
	// Outside is how many events rectification moves out of the picture.
	Outside int
}

// sourceFile is the file in the sequence's folder that says what it was made from.
const sourceFile = "source.json"

// Convert makes the folder of a sequence, see the package's description. Frames that
// are there already are kept, so that an interrupted call can be repeated. It fails
// with data.ErrNotFound where a file, group or map is missing, with data.ErrFormat
// where one is damaged, and when ctx ends.
func Convert(ctx context.Context, o Options) (Result, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &conversion{o: o}
	defer c.close()
	for _, step := range []func() error{c.open, c.prepare, func() error { return c.run(ctx) }} {
		if err := step(); err != nil {
			return c.result, classify(err)
		}
	}
	if err := stereo.WriteTimestamps(filepath.Join(o.Out, stereo.TimestampsFile), c.times); err != nil {
		return c.result, err
	}
	if !c.result.Counts.Clean() {
		o.Log.Warn("bad data; wrong events are left out", c.result.Counts.LogArgs()...)
	}
	return c.result, nil
}

// classify marks errors about the data, so that a caller can tell them from others.
func classify(err error) error {
	switch {
	case errors.Is(err, hdf5.ErrFormat), errors.Is(err, hdf5.ErrUnsupported):
		return fmt.Errorf("%w: %w", err, data.ErrFormat)
	case errors.Is(err, hdf5.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", err, data.ErrNotFound)
	}
	return err
}

// conversion is one call of Convert.
type conversion struct {
	o             Options
	files         []*hdf5.File
	events        [2]*hdf5.Dataset
	depth         *hdf5.Dataset
	times         []float64
	maps          [2]*rectification
	width, height int
	fb            float64
	todo          []int // frames

	mu     sync.Mutex
	result Result
	done   int // frames
}

func (c *conversion) close() {
	for _, f := range c.files {
		_ = f.Close()
	}
}

// open opens all files and checks that they fit together.
func (c *conversion) open() (err error) {
	o := c.o
	for _, path := range []string{o.Data, o.GT} {
		f, err := hdf5.Open(path)
		if err != nil {
			return err
		}
		c.files = append(c.files, f)
	}
	for v, path := range []string{leftEvents, rightEvents} {
		d, err := c.files[0].Dataset(path)
		if err != nil {
			return fmt.Errorf("%s: %w", o.Data, err)
		}
		if s := d.Shape(); len(s) != 2 || s[1] != 4 {
			return fmt.Errorf("%s: /%s has shape %v; events are rows of x, y, t, p: %w", o.Data, path, s, data.ErrFormat)
		}
		c.events[v] = d
	}
	if c.depth, err = c.files[1].Dataset(depthImages); err != nil {
		return fmt.Errorf("%s: %w", o.GT, err)
	}
	times, err := c.files[1].Dataset(depthTimes)
	if err != nil {
		return fmt.Errorf("%s: %w", o.GT, err)
	}
	shape := c.depth.Shape()
	if len(shape) != 3 || len(times.Shape()) != 1 || times.Rows() != shape[0] || shape[1] < 1 || shape[2] < 1 || shape[1] > 8192 || shape[2] > 8192 {
		return fmt.Errorf("%s: depth of shape %v with times of shape %v; want (n, height, width) and (n): %w", o.GT, shape, times.Shape(), data.ErrFormat)
	}
	c.height, c.width = shape[1], shape[2]
	if c.times, err = hdf5.ReadRows[float64](times, 0, times.Rows()); err != nil {
		return fmt.Errorf("%s: %w", o.GT, err)
	}
	for i, t := range c.times {
		if math.IsNaN(t) || math.IsInf(t, 0) || i > 0 && t <= c.times[i-1] {
			return fmt.Errorf("%s: /%s: time %d, %f, is not after the one before it: %w", o.GT, depthTimes, i, t, data.ErrFormat)
		}
	}
	name, err := prefix(o.Calib)
	if err != nil {
		return err
	}
	fb, ok := focalBaseline[name]
	if !ok {
		return fmt.Errorf("%s: maps of %q; focal length and baseline are known for indoor_flying, outdoor_day and outdoor_night: %w",
			o.Calib, name, data.ErrFormat)
	}
	c.fb = fb
	for v := range c.maps {
		if c.maps[v], err = readRectification(o.Calib, name, stereo.View(v), c.width, c.height); err != nil {
			return err
		}
	}
	return nil
}

// sourceInfo identifies a file that was converted.
type sourceInfo struct {
	Name     string `json:"name"`
	Bytes    int64  `json:"bytes"`
	Modified int64  `json:"modified"`
}

// prepare makes the folders and finds out which frames are left to do.
func (c *conversion) prepare() error {
	type source struct {
		Data  sourceInfo `json:"data"`
		GT    sourceInfo `json:"gt"`
		Calib string     `json:"calib"`
		Size  [2]int     `json:"size"` // of the picture
	}
	want := source{Calib: filepath.Base(c.o.Calib), Size: [2]int{c.width, c.height}}
	for path, info := range map[string]*sourceInfo{c.o.Data: &want.Data, c.o.GT: &want.GT} {
		stat, err := os.Stat(path)
		if err != nil {
			return err
		}
		*info = sourceInfo{filepath.Base(path), stat.Size(), stat.ModTime().Unix()}
	}
	path := filepath.Join(c.o.Out, sourceFile)
	var have source
	switch err := stereo.ReadJSON(path, &have); {
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, data.ErrFormat), err == nil && have != want:
		return fmt.Errorf("%s was made from other files; choose another --out or remove it: %w", c.o.Out, data.ErrFormat)
	case err != nil:
		return err
	}
	for _, folder := range []string{"event0", "event1", stereo.DisparityFolder} {
		if err := os.MkdirAll(filepath.Join(c.o.Out, folder), 0o777); err != nil {
			return err
		}
	}
	if err := stereo.WriteJSON(path, want); err != nil {
		return err
	}
	c.result.Frames = len(c.times)
	for i := range c.times {
		// The label is written last: a frame that has one is whole.
		if _, err := os.Stat(stereo.DisparityFile(c.o.Out, i)); err == nil {
			c.result.Kept++
			continue
		}
		c.todo = append(c.todo, i)
	}
	return nil
}

// run reads the events of both views in the order of time and writes frames in several
// goroutines.
func (c *conversion) run(ctx context.Context) error {
	var views [2]*ordered.Values[*[]float64]
	for v := range views {
		views[v] = c.read(ctx, v)
		defer views[v].Close()
	}
	var mu sync.Mutex
	next := 0
	take := func() (frame int, rows [2][]float64, err error) {
		mu.Lock()
		defer mu.Unlock()
		for v := range views {
			list, err := views[v].Next()
			if err != nil {
				return 0, rows, err
			}
			rows[v] = *list
		}
		next++
		return c.todo[next-1], rows, nil
	}
	return ordered.Each(ctx, len(c.todo), c.o.Workers, func(context.Context) func(int) error {
		return func(int) error {
			frame, rows, err := take()
			if err != nil {
				return err
			}
			if err := c.write(frame, rows); err != nil {
				return fmt.Errorf("frame %d: %w", frame, err)
			}
			return nil
		}
	}, nil)
}

// read gives the events of a view, as rows x, y, t, p, for each frame to do.
func (c *conversion) read(ctx context.Context, v int) *ordered.Values[*[]float64] {
	w := &window{set: c.events[v]}
	read := func(rows *[]float64, k, _ int) (err error) {
		end := c.times[c.todo[k]]
		if k == 0 || c.todo[k] != c.todo[k-1]+1 { // what lies between was done before
			err = w.seek(end - stereo.Window)
		}
		if err == nil {
			*rows, err = w.events(end-stereo.Window, end)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.o.Data, err)
		}
		if k == len(c.todo)-1 {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.result.Counts.Unsorted += w.unsorted
		}
		return nil
	}
	return ordered.Start(ctx, ordered.Work[*[]float64]{
		End: len(c.todo), Workers: 1, Ahead: 4, Parts: 1,
		Begin:  func(int) *[]float64 { return new([]float64) },
		Worker: func(context.Context) func(*[]float64, int, int) error { return read },
	})
}

// write writes the files of a frame.
func (c *conversion) write(frame int, rows [2][]float64) error {
	var counts stereo.Counts
	outside := 0
	for v, rows := range rows {
		events, found := stereo.Filter(rows, [4]int{2, 0, 1, 3}, c.width, c.height)
		found.Unsorted = 0 // read counts them, over all frames
		counts.Add(found)
		// Numbers, not stereo.Event: rounding can give -0, which the DDES code keeps.
		kept := make([]float64, 0, len(rows))
		for _, e := range events {
			x, y, ok := c.maps[v].place(int(e.X), int(e.Y))
			if !ok {
				outside++
				continue
			}
			kept = append(kept, e.T, x, y, float64(e.P))
		}
		if err := stereo.Whole(stereo.EventFile(c.o.Out, stereo.View(v), frame), func(path string) error {
			if len(kept) == 0 {
				return npy.WriteFile(path, []int{0}, kept)
			}
			return npy.WriteFile(path, []int{len(kept) / 4, 4}, kept)
		}); err != nil {
			return err
		}
	}
	depth, err := hdf5.ReadRows[float32](c.depth, frame, 1)
	if err != nil {
		return fmt.Errorf("%s: %w", c.o.GT, err)
	}
	label := make([]uint8, len(depth))
	valid := false
	for i, z := range depth {
		label[i] = stereo.Quantize(z, c.fb)
		valid = valid || label[i] != stereo.Invalid
	}
	if !valid {
		counts.Unlabelled++
	}
	if err := stereo.Whole(stereo.DisparityFile(c.o.Out, frame), func(path string) error {
		return stereo.WriteLabel(path, c.width, c.height, label)
	}); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Counts.Add(counts)
	c.result.Outside += outside
	c.done++
	if c.o.Progress != nil {
		c.o.Progress(c.result.Kept+c.done, c.result.Frames)
	}
	return nil
}
