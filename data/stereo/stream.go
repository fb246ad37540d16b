package stereo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	stdtime "time"

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
	step.Time = s.times[f.Sequence][f.Index]
	var err error
	step.Label, err = s.Label(f)
	return err
}

// Len is the number of steps.
func (s *Stream) Len() int { return s.steps }

// Slicer cuts events into steps as they come, from a file, a pipe or a camera. A step
// has the stacks of the time that the binning covers and begins so many seconds after
// the one before; the first event begins the first. It holds the events of one step,
// and is not safe for concurrent use.
type Slicer struct {
	width, height int
	binning       Binning
	every         float64 // seconds
	events        func() (View, Event, error)

	start        float64 // time at which the steps began
	number       int     // of the step under way
	began, reset bool
	window       [2][]Event
	stack        []int8
	late         int

	view    View
	pending Event // belongs to a later step
	waits   bool  // there is one pending
	ended   error
}

// longestPause is after how many steps without any event a stream begins anew.
const longestPause = 1200 // a minute of steps of 50 ms

// rounding forgives what times lose when they are added, in seconds.
const rounding = 1e-9

// NewSlicer makes steps of pictures of width x height pixels, one every so many
// seconds; 0 stands for the time that the binning covers. events gives one event after
// the other, those of both views in the order of time, and io.EOF behind the last.
func NewSlicer(width, height int, b Binning, every float64, events func() (View, Event, error)) (*Slicer, error) {
	b, err := b.withDefaults()
	if err != nil {
		return nil, err
	}
	if !validSize(width, height) {
		return nil, fmt.Errorf("stereo: pictures of %d x %d pixels: choose 1 to %d", width, height, maxSide)
	}
	if every = cmp.Or(every, b.span()); !(every > 0) {
		return nil, fmt.Errorf("stereo: a step every %g s: choose more than 0", every)
	}
	return &Slicer{
		width: width, height: height, binning: b, every: every, events: events, reset: true,
		stack: make([]int8, b.Bins*width*height),
	}, nil
}

// Next is the next step, which has Reset where a stream begins: the first one, and the
// first after a pause of more than 1,200 steps; io.EOF behind the last. took is the time
// that its stacks took to make, without reading the events.
func (s *Slicer) Next() (step *Step, took stdtime.Duration, err error) {
	for {
		if !s.waits && s.ended == nil {
			s.view, s.pending, s.ended = s.events()
			s.waits = s.ended == nil
		}
		if s.ended != nil && !errors.Is(s.ended, io.EOF) {
			return nil, 0, s.ended
		}
		if s.waits && s.accept(s.view, s.pending) {
			s.waits = false
			continue
		}
		if !s.waits && !s.began { // the end, and the last step was made
			return nil, 0, io.EOF
		}
		began, next := stdtime.Now(), s.pending.T
		if !s.waits {
			next = s.end()
		}
		step := s.finish(next)
		if !s.waits {
			s.began = false
		}
		return step, stdtime.Since(began), nil
	}
}

// Late is how many events were left out: those from before the step under way, and
// those outside of the picture.
func (s *Slicer) Late() int { return s.late }

func (s *Slicer) begin() float64 { return s.start + float64(s.number)*s.every }
func (s *Slicer) end() float64   { return s.begin() + s.binning.span() }

// accept takes an event; false: a step must be finished before.
func (s *Slicer) accept(v View, e Event) bool {
	if int(e.X) >= s.width || int(e.Y) >= s.height {
		s.late++
		return true
	}
	if !s.began {
		s.began, s.start, s.number = true, e.T, 0
	}
	if e.T >= s.end() {
		return false
	}
	if e.T < s.begin()-rounding {
		if s.number == 0 || e.T < s.begin()-s.every+s.binning.span()-rounding { // else between two windows
			s.late++
		}
		return true
	}
	s.window[v] = append(s.window[v], e)
	return true
}

// finish makes the step under way; next is the time of the event that waits, by
// which a long pause is seen.
func (s *Slicer) finish(next float64) *Step {
	step := &Step{
		Frame: Frame{Index: s.number}, Time: s.end(), C: s.binning.Bins, H: s.height, W: s.width, Reset: s.reset,
	}
	for v, to := range []*[]float32{&step.Left, &step.Right} {
		s.binning.Stack(s.stack, s.window[v], step.Time, s.width, s.height)
		*to = Floats(s.stack)
	}
	s.reset = false
	if next-step.Time > longestPause*s.every {
		s.start, s.number, s.reset = next, 0, true
		s.window = [2][]Event{}
		return step
	}
	s.number++
	for v, list := range s.window {
		kept := list[:0]
		for _, e := range list {
			if e.T >= s.begin()-rounding {
				kept = append(kept, e)
			}
		}
		s.window[v] = kept
	}
	return step
}

// Floats are the values of a stack.
func Floats(stack []int8) []float32 {
	list := make([]float32, 0, len(stack))
	for _, x := range stack {
		list = append(list, float32(x))
	}
	return list
}
