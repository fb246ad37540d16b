package stereo

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/internal/ordered"
	"github.com/spikedhs/spikedhs/data/internal/random"
)

// WindowOptions say what the examples of a loader are.
type WindowOptions struct {
	// Steps is T, the number of consecutive stacks of a window: the label's frame and
	// those before it. Default 5.
	Steps int
	// CropHeight and CropWidth are the size of the part that is cut out of each window
	// at a random place, the same for both views, the label and all steps. Default 0:
	// the whole picture.
	CropHeight, CropWidth int
}

// NewLoader makes a loader over the windows that end in frames; example i is number i of
// [Windows]. Inputs are the left and the right stacks of -1, 0, +1, Truth the disparities
// in pixels of every step, +Inf for none. Frames without enough frames before them are left
// out. It fails if none is left, on options out of range and on frames that the set does
// not have.
func NewLoader(set *Set, frames []Frame, w WindowOptions, o data.LoaderOptions) (*data.Loader, error) {
	w.Steps, o.Workers = cmp.Or(w.Steps, 5), cmp.Or(o.Workers, min(8, runtime.GOMAXPROCS(0)))
	if w.CropHeight == 0 && w.CropWidth == 0 {
		w.CropHeight, w.CropWidth = set.rig.Height, set.rig.Width
	}
	if w.Steps < 1 {
		return nil, fmt.Errorf("stereo loader: %d steps; want at least 1", w.Steps)
	}
	if w.CropHeight < 1 || w.CropWidth < 1 || w.CropHeight > set.rig.Height || w.CropWidth > set.rig.Width {
		return nil, fmt.Errorf("stereo loader: a crop of %d x %d does not fit into pictures of %d x %d; choose a smaller one",
			w.CropWidth, w.CropHeight, set.rig.Width, set.rig.Height)
	}
	if err := set.check(frames); err != nil {
		return nil, err
	}
	return data.LoaderOf(&windows{set, Windows(frames, w.Steps), w}, o)
}

// windows are the examples of a loader.
type windows struct {
	set  *Set
	last []Frame
	WindowOptions
}

func (w *windows) Name() string { return w.set.root }
func (w *windows) Noun() string { return fmt.Sprintf("windows of %d steps", w.Steps) }
func (w *windows) Len() int     { return len(w.last) }
func (*windows) Inputs() int    { return 2 }
func (*windows) Mapped() bool   { return true }

func (w *windows) Sizes() data.Sizes {
	return data.Sizes{T: w.Steps, C: w.set.binning.Bins, H: w.CropHeight, W: w.CropWidth}
}

// frame is that of a step of window i.
func (w *windows) frame(i, step int) Frame {
	return Frame{w.last[i].Sequence, w.last[i].Index - w.Steps + 1 + step}
}

func (w *windows) Reader(seed uint64) func(ctx context.Context, b *data.Batch, k, i int) error {
	rng, rig := new(rand.PCG), w.set.rig
	return func(ctx context.Context, b *data.Batch, k, i int) error {
		random.Seed(rng, seed, random.Item, b.Epoch, i)
		part := crop{x: random.Below(rng, rig.Width-b.W+1), y: random.Below(rng, rig.Height-b.H+1), width: b.W, height: b.H}
		b.Choices[k] = data.Choices{Top: part.y, Left: part.x}
		for t := 0; t < b.T && b.Inputs != nil; t++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := w.step(b, t*b.N+k, w.frame(i, t), part); err != nil {
				return err
			}
		}
		return nil
	}
}

// step writes a part of a frame to a row of b.
func (w *windows) step(b *data.Batch, row int, f Frame, part crop) error {
	size := b.C * b.H * b.W
	for v, out := range b.Inputs {
		packed, err := w.set.packed(View(v), f)
		if err != nil {
			return err
		}
		unpack(out[row*size:][:size], packed, b.C, w.set.rig.Width, w.set.rig.Height, part)
	}
	label, err := w.set.label(f)
	if err != nil {
		return err
	}
	out := b.Truth[row*b.H*b.W:][:b.H*b.W]
	for y := range b.H {
		for x, value := range label[(part.y+y)*w.set.rig.Width+part.x:][:b.W] {
			out[y*b.W+x] = dequantize[value]
		}
	}
	return nil
}

// frames are those of all windows, each once, and the row of each step of each window
// among them.
func (w *windows) frames() (list []Frame, rows []int64) {
	number := map[Frame]int64{}
	for i := range w.last {
		for t := range w.Steps {
			f := w.frame(i, t)
			if _, known := number[f]; !known {
				number[f] = int64(len(list))
				list = append(list, f)
			}
			rows = append(rows, number[f])
		}
	}
	return list, rows
}

func (w *windows) Bytes() int64 {
	list, _ := w.frames()
	return int64(len(list)) * int64(2*planes(w.set.binning.Bins)+1) * int64(w.set.rig.Width*w.set.rig.Height)
}

// Stored are the packed stacks and the label images of all frames, which all cores read.
func (w *windows) Stored() (*data.Stored, error) {
	list, rows := w.frames()
	height, width, channels := w.set.rig.Height, w.set.rig.Width, planes(w.set.binning.Bins)
	room := func(channels int, tables [][]float32) data.Planes {
		return data.Planes{Bytes: make([]byte, len(list)*channels*height*width), M: len(list), C: channels, H: height, W: width, Tables: tables}
	}
	s := &data.Stored{
		Inputs: []data.Planes{room(channels, digitTables(channels)), room(channels, digitTables(channels))},
		Truth:  room(1, [][]float32{dequantize[:]}), Rows: rows,
	}
	put := func(p data.Planes, i int, packed []byte, err error) error {
		copy(p.Bytes[i*p.C*p.H*p.W:], packed)
		return err
	}
	return s, ordered.Each(context.Background(), 3*len(list), 0, func(context.Context) func(int) error {
		return func(k int) error {
			i, part := k/3, k%3
			if part == 2 {
				label, err := w.set.label(list[i])
				return put(s.Truth, i, label, err)
			}
			packed, err := w.set.packed(View(part), list[i])
			return put(s.Inputs[part], i, packed, err)
		}
	}, nil)
}
