package stream

import (
	"fmt"

	data "github.com/spikedhs/spikedhs/data/stereo"
)

// slider makes one step after the other of events that come in the order of time.
// A step has the stacks of the last window seconds and begins every so many after
// the one before; the first event begins the first. It holds the events of one
// window.
type slider struct {
	width, height int
	binning       data.Binning
	window, every float64 // seconds
	start         float64 // time at which the steps began
	number        int     // of the step under way
	began, reset  bool
	events        [2][]data.Event
	stack         []int8
	late          int // events from before the step under way
}

// longestPause is after how many steps without any event a stream begins anew.
const longestPause = 1200 // a minute of steps of 50 ms

// rounding forgives what times lose when they are added, in seconds.
const rounding = 1e-9

func newSlider(width, height int, b data.Binning, every float64) (*slider, error) {
	if b.Bins < 1 || !(b.Width > 0) {
		return nil, fmt.Errorf("stream: %d bins of %g s: choose at least one, longer than 0", b.Bins, b.Width)
	}
	s := &slider{width: width, height: height, binning: b, window: float64(b.Bins) * b.Width, every: every, reset: true}
	if every == 0 {
		s.every = s.window
	}
	if !(s.every > 0) {
		return nil, fmt.Errorf("stream: a step every %g s: choose more than 0", every)
	}
	s.stack = make([]int8, b.Bins*width*height)
	return s, nil
}

func (s *slider) begin() float64 { return s.start + float64(s.number)*s.every }
func (s *slider) end() float64   { return s.begin() + s.window }

// accept takes an event; false: a step must be finished before.
func (s *slider) accept(v data.View, e data.Event) bool {
	if !s.began {
		s.began, s.start, s.number = true, e.T, 0
	}
	if e.T >= s.end() {
		return false
	}
	if e.T < s.begin()-rounding {
		if s.number == 0 || e.T < s.begin()-s.every+s.window-rounding { // else between two windows
			s.late++
		}
		return true
	}
	s.events[v] = append(s.events[v], e)
	return true
}

// finish makes the step under way; next is the time of the event that waits, by
// which a long pause is seen.
func (s *slider) finish(next float64) *data.Step {
	step := &data.Step{
		Frame: data.Frame{Index: s.number}, Time: s.end(), C: s.binning.Bins, H: s.height, W: s.width, Reset: s.reset,
	}
	for v, to := range []*[]float32{&step.Left, &step.Right} {
		s.binning.Stack(s.stack, s.events[v], step.Time, s.width, s.height)
		*to = floats(s.stack)
	}
	s.reset = false
	if next-step.Time > longestPause*s.every {
		s.start, s.number, s.reset = next, 0, true
		s.events = [2][]data.Event{}
		return step
	}
	s.number++
	for v, list := range s.events {
		kept := list[:0]
		for _, e := range list {
			if e.T >= s.begin()-rounding {
				kept = append(kept, e)
			}
		}
		s.events[v] = kept
	}
	return step
}

func floats(stack []int8) []float32 {
	list := make([]float32, len(stack))
	for i, x := range stack {
		list[i] = float32(x)
	}
	return list
}
