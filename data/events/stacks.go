package events

import (
	"cmp"
	"fmt"
	"slices"
)

// Slicing is how a recording is cut into time steps.
type Slicing string

const (
	// ByTime gives every step the same share of the recording's duration.
	ByTime Slicing = "time"
	// ByCount gives every step the same number of events, to within one.
	ByCount Slicing = "count"
)

// Kind is what a stack holds of the events of a step.
type Kind string

const (
	// Binary has two channels, ON and OFF: 1 where there was an event. The input of
	// the network is spikes then.
	Binary Kind = "binary"
	// Counts has two channels, ON and OFF: the number of events, at most 255.
	Counts Kind = "counts"
	// Ternary has one channel: the sign of ON events less OFF events.
	Ternary Kind = "ternary"
)

// Channels of one time step.
func (k Kind) Channels() int {
	if k == Ternary {
		return 1
	}
	return 2
}

// Levels are the values that the bytes of a stack stand for: 0 and 1 of [Binary],
// the numbers of [Counts], and -1, 0, 1 of [Ternary].
func (k Kind) Levels() *[256]float32 {
	var levels [256]float32
	for i := range levels {
		switch {
		case k == Counts:
			levels[i] = float32(i)
		case k == Ternary:
			levels[i] = float32(int8(i))
		case i > 0:
			levels[i] = 1
		}
	}
	return &levels
}

// Stacks says how recordings become stacks of T time steps.
type Stacks struct {
	// Steps is T.
	Steps int
	// Slice is how the steps are cut. Default "": [ByTime].
	Slice Slicing
	// Kind is what a step holds. Default "": [Binary].
	Kind Kind
	// Size is the side of a step in pixels. k x k pixels of the sensor become one,
	// k being the sensor's longer side by Size, rounded (128 to 64: 2; 34 to 32: 1);
	// what is then too large is cut at its borders, what is too small gets zeros.
	// Default 0: the sensor's own size.
	Size int
}

// Largest values of Stacks.
const (
	maxSteps = 1 << 10
	maxSize  = 1 << 12
)

// Filled is s with its defaults.
func (s Stacks) Filled() Stacks {
	s.Slice, s.Kind = cmp.Or(s.Slice, ByTime), cmp.Or(s.Kind, Binary)
	return s
}

// Validate checks the values.
func (s Stacks) Validate() error {
	s = s.Filled()
	switch {
	case s.Steps < 1 || s.Steps > maxSteps:
		return fmt.Errorf("stacks: %d time steps; want 1 to %d", s.Steps, maxSteps)
	case !slices.Contains([]Slicing{ByTime, ByCount}, s.Slice):
		return fmt.Errorf("stacks: slices by %q; want %q or %q", s.Slice, ByTime, ByCount)
	case !slices.Contains([]Kind{Binary, Counts, Ternary}, s.Kind):
		return fmt.Errorf("stacks: kind %q; want %q, %q or %q", s.Kind, Binary, Counts, Ternary)
	case s.Size < 0 || s.Size > maxSize:
		return fmt.Errorf("stacks: size %d; want 0 to %d", s.Size, maxSize)
	}
	return nil
}

// Shape is the number of channels, rows and columns of one time step.
func (s Stacks) Shape(width, height int) (c, h, w int) {
	if s.Size > 0 {
		width, height = s.Size, s.Size
	}
	return s.Filled().Kind.Channels(), height, width
}

// window places the sensor on the grid of a step: pixel x becomes
// x/factor - left, and y becomes y/factor - top.
type window struct{ factor, left, top int }

func (s Stacks) window(width, height int) window {
	if s.Size == 0 {
		return window{factor: 1}
	}
	k := max(1, (2*max(width, height)+s.Size)/(2*s.Size))
	return window{k, ((width+k-1)/k - s.Size) / 2, ((height+k-1)/k - s.Size) / 2}
}

// Make writes the stack of a recording to dst as planes T,C,H,W of bytes, for
// which [Kind.Levels] has the values. ON is channel 0, OFF channel 1. dst needs
// room for T*C*H*W bytes; it is overwritten.
func (s Stacks) Make(dst []byte, r *Recording) error {
	if err := s.Validate(); err != nil {
		return err
	}
	s = s.Filled()
	c, h, w := s.Shape(r.Width, r.Height)
	step := c * h * w
	if len(dst) < s.Steps*step {
		return fmt.Errorf("stacks: %d bytes for %d steps of %d x %d x %d", len(dst), s.Steps, c, h, w)
	}
	dst = dst[:s.Steps*step]
	clear(dst)
	if len(r.Events) == 0 {
		return nil
	}
	var sums []int32
	if s.Kind == Ternary {
		sums = make([]int32, len(dst))
	}
	place := s.window(r.Width, r.Height)
	first, span, total := r.Events[0].Microseconds(), r.Duration()+1, len(r.Events)
	for i, e := range r.Events {
		x, y := int(e.X)/place.factor-place.left, int(e.Y)/place.factor-place.top
		if x < 0 || y < 0 || x >= w || y >= h {
			continue
		}
		t := i * s.Steps / total
		if s.Slice == ByTime {
			t = int((e.Microseconds() - first) * int64(s.Steps) / span)
		}
		at := t*step + y*w + x
		if sums != nil {
			sums[at] += int32(e.P)
			continue
		}
		if e.P < 0 {
			at += h * w
		}
		if s.Kind == Binary {
			dst[at] = 1
		} else if dst[at] < 255 {
			dst[at]++
		}
	}
	for i, sum := range sums {
		dst[i] = byte(min(1, max(-1, sum))) // 255 is -1
	}
	return nil
}
