package stereo

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	stdtime "time"
)

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
