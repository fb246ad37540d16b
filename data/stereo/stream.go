package stereo

import (
	"context"
	"runtime"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/internal/ordered"
)

// Step is the input of a network for one moment: the stacks of both views that end
// then.
type Step struct {
	// Frame tells which one this is; a recording that is not cut into frames has no
	// name there.
	Frame Frame
	// Time is the end of the stacks in seconds.
	Time float64
	// Left and Right are stacks, [C, H, W].
	Left, Right []float32
	// Label are disparities in pixels, [H, W], +Inf is no label; nil where there are none.
	Label []float32
	// Reset tells that the sequence begins here: the state of a network must be zero.
	Reset bool
	// Scored tells that the frame is one of those asked for; the others lie between and
	// before them.
	Scored bool
	// C, H and W are the sizes.
	C, H, W int
}

// Stream are steps in the order of time, to be had and ended like [data.Batches].
type Stream struct {
	*ordered.Values[*Step]
	steps int
}

// Stream gives one step after the other: for each sequence of frames, in the order in
// which sequences first appear, all steps from warmup frames before the first to the
// last of its frames, also those between that are not in frames. So a network sees a
// test sequence without gaps, and is scored on the frames of a split alone.
func (s *Set) Stream(ctx context.Context, frames []Frame, warmup int) (*Stream, error) {
	if err := s.check(frames); err != nil {
		return nil, err
	}
	wanted := map[Frame]bool{}
	for _, f := range frames {
		wanted[f] = true
	}
	list := Between(frames, warmup)
	workers := runtime.GOMAXPROCS(0)
	make := func(_ context.Context) func(*Step, int, int) error {
		return func(step *Step, i, _ int) error {
			step.Reset = i == 0 || list[i-1].Sequence != list[i].Sequence
			step.Scored = wanted[list[i]]
			return s.fill(step, list[i])
		}
	}
	return &Stream{ordered.Start(ctx, ordered.Work[*Step]{
		End: len(list), Workers: workers, Ahead: 2 * workers, Parts: 1,
		Begin: func(int) *Step { return new(Step) }, Worker: make, Closed: data.ErrClosed,
	}), len(list)}, nil
}

// Between are frames in the order of time, with all that lie between them and so many
// before the first, sequence by sequence as they first appear.
func Between(frames []Frame, before int) []Frame {
	type span struct{ first, last int }
	spans := map[string]span{}
	var names []string
	for _, f := range frames {
		r, known := spans[f.Sequence]
		if !known {
			names = append(names, f.Sequence)
			r = span{f.Index, f.Index}
		}
		spans[f.Sequence] = span{min(r.first, f.Index), max(r.last, f.Index)}
	}
	var list []Frame
	for _, name := range names {
		for i := max(0, spans[name].first-max(0, before)); i <= spans[name].last; i++ {
			list = append(list, Frame{name, i})
		}
	}
	return list
}

// fill makes the step of a frame.
func (s *Set) fill(step *Step, f Frame) error {
	c, h, w := s.binning.Bins, s.rig.Height, s.rig.Width
	step.Frame, step.C, step.H, step.W = f, c, h, w
	step.Left, step.Right = make([]float32, c*h*w), make([]float32, c*h*w)
	for v, out := range [][]float32{step.Left, step.Right} {
		packed, err := s.packed(View(v), f)
		if err != nil {
			return err
		}
		unpack(out, packed, c, w, h, s.whole())
	}
	step.Time = s.sequences[f.Sequence].times[f.Index]
	var err error
	step.Label, err = s.Label(f)
	return err
}

// Len is the number of steps.
func (s *Stream) Len() int { return s.steps }
