package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task"
)

// ErrWindow is the cause of an error about events that hold no such window.
var ErrWindow = errors.New("no such window of events")

// WindowOptions choose a window for [Window].
type WindowOptions struct {
	// Frame is the number of the window's last step, from 0: a frame of a folder's
	// sequence, or a step of a recording as [Run] counts them. Default: the last one.
	Frame *int
	// Precision of the convolutions, [search.Float32] by default.
	Precision search.Precision
}

// Disparities are what a model says about a window.
type Disparities struct {
	// Step is the window's last.
	Step *data.Step
	// Values are the disparities of its left picture in pixels, row after row.
	Values []float32
	// Took is the time of the network, from stacks in memory to disparities in memory.
	Took time.Duration
	// Wrong is how many events were left out.
	Wrong int

	withEvents float64
	fb         float64
}

// Window computes the disparities of the last step of a window of T stacks from rest,
// as evaluation does; T is the model's. It reads a recording or a pipe up to the end
// of the window, and of a folder, which must be one sequence, these stacks alone. It
// fails with [ErrWindow] where the source has fewer stacks.
func Window(ctx context.Context, m *Model, source Source, o WindowOptions) (*Disparities, error) {
	defer torch.Pin()()
	o.Precision = cmp.Or(o.Precision, search.Float32)
	if o.Frame != nil && *o.Frame < 0 {
		return nil, fmt.Errorf("%w: frame %d: they are numbered from 0", ErrWindow, *o.Frame)
	}
	steps, err := window(ctx, source, m.Info.Steps, o.Frame)
	if err != nil {
		return nil, err
	}
	last := steps[len(steps)-1]
	if last.C != m.Info.Channels {
		return nil, fmt.Errorf("stream: stacks have %d bins, the model takes %d", last.C, m.Info.Channels)
	}
	began := time.Now()
	values, err := m.disparity(steps, nil, o.Precision)
	if err != nil {
		return nil, fmt.Errorf("stream: window that ends at frame %d: %w", last.Frame.Index, err)
	}
	return &Disparities{
		Step: last, Values: values, Took: time.Since(began), Wrong: source.Wrong(),
		withEvents: coverage(steps), fb: focalBaseline(m, source),
	}, nil
}

// window reads the T steps that end with a frame, or the last ones.
func window(ctx context.Context, source Source, length int, frame *int) ([]*data.Step, error) {
	if f, ok := source.(*folder); ok {
		if err := f.narrow(length, frame); err != nil {
			return nil, err
		}
	}
	var past []*data.Step
	for frame == nil || len(past) == 0 || past[len(past)-1].Frame.Index != *frame {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		step, _, err := source.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if step.Reset {
			past = nil
		}
		past = append(past, step)
		if len(past) > length {
			past = slices.Delete(past, 0, 1)
		}
	}
	switch {
	case len(past) == 0:
		return nil, fmt.Errorf("%w: there are no events", ErrWindow)
	case frame != nil && past[len(past)-1].Frame.Index != *frame:
		return nil, fmt.Errorf("%w: there is no frame %d, the last is %d", ErrWindow, *frame, past[len(past)-1].Frame.Index)
	case len(past) < length:
		return nil, fmt.Errorf("%w: stacks up to frame %d: %d, and the model takes %d; give a longer recording or a later frame",
			ErrWindow, past[len(past)-1].Frame.Index, len(past), length)
	}
	return past, nil
}

// narrow leaves the frames of one window.
func (f *folder) narrow(length int, frame *int) error {
	if len(f.frames) == 0 {
		return fmt.Errorf("%w: there are no frames", ErrWindow)
	}
	first, last := f.frames[0], f.frames[len(f.frames)-1]
	if first.Sequence != last.Sequence {
		return fmt.Errorf("%w: a data set of %d sequences: name the folder of one, such as %s", ErrWindow,
			len(f.set.Sequences()), f.set.Dir(first.Sequence))
	}
	end := last.Index
	if frame != nil {
		end = *frame
	}
	switch {
	case end > last.Index || end < first.Index:
		return fmt.Errorf("%w: there is no frame %d, sequence %s has %d to %d", ErrWindow, end, first.Sequence, first.Index, last.Index)
	case end-first.Index+1 < length:
		return fmt.Errorf("%w: stacks up to frame %d of sequence %s: %d, and the model takes %d; choose a later frame", ErrWindow,
			end, first.Sequence, end-first.Index+1, length)
	}
	f.frames = f.frames[end-first.Index+1-length : end-first.Index+1]
	return nil
}

// coverage is the share of the left view's pixels that have events in a window.
func coverage(steps []*data.Step) float64 {
	pixels := steps[0].H * steps[0].W
	seen := make([]bool, pixels)
	for _, step := range steps {
		for i, x := range step.Left {
			if x != 0 {
				seen[i%pixels] = true
			}
		}
	}
	count := 0
	for _, yes := range seen {
		if yes {
			count++
		}
	}
	return float64(count) / float64(pixels)
}

// meaningless is the disparity in pixels below which a depth says nothing.
const meaningless = 0.5

// Summary are numbers about disparities.
type Summary struct {
	// Min, Median and Max are disparities in pixels.
	Min    float64 `json:"min_disparity_px"`
	Median float64 `json:"median_disparity_px"`
	Max    float64 `json:"max_disparity_px"`
	// Depth is the median depth in metres, by the cameras of the folder or else those
	// that the model was trained for; absent where the median disparity is below 0.5 px.
	Depth *float64 `json:"median_depth_m,omitempty"`
	// Coverage is the share of pixels of the left view, in percent, that have events in
	// some stack of the window.
	Coverage float64 `json:"pixels_with_events"`
	// Milliseconds are the network's for the whole window.
	Milliseconds float64 `json:"ms"`
}

// Summary computes them.
func (d *Disparities) Summary() Summary {
	sorted := slices.Clone(d.Values)
	slices.Sort(sorted)
	n := len(sorted)
	s := Summary{
		Min: float64(sorted[0]), Median: (float64(sorted[(n-1)/2]) + float64(sorted[n/2])) / 2, Max: float64(sorted[n-1]),
		Coverage: 100 * d.withEvents, Milliseconds: float64(d.Took.Microseconds()) / 1000,
	}
	if s.Median >= meaningless && d.fb > 0 {
		depth := d.fb / s.Median
		s.Depth = &depth
	}
	return s
}

// IsModel tells whether a file is an exported stereo network. Another file, or none,
// is not.
func IsModel(path string) bool {
	kind, ok := task.ModelKind(path)
	return ok && kind == Kind
}
