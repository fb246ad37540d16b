package stereo

import "fmt"

// Slicer makes steps of events as they come, for streaming from a file, a pipe or a
// camera. It is not safe for concurrent use.
type Slicer struct {
	width, height int
	binning       Binning
	sums          [2][]int32
	start         float64 // time at which the steps began
	number        int     // of the step under way
	began, reset  bool
	late          int
}

// longestPause is after how many steps without any event a stream begins anew.
const longestPause = 1200 // a minute of steps of 50 ms

// NewSlicer makes steps of pictures of width x height pixels.
func NewSlicer(width, height int, b Binning) (*Slicer, error) {
	b, err := b.withDefaults()
	if err != nil {
		return nil, err
	}
	if width < 1 || height < 1 || width > maxSide || height > maxSide {
		return nil, fmt.Errorf("stereo: pictures of %d x %d pixels: choose 1 to %d", width, height, maxSide)
	}
	s := &Slicer{width: width, height: height, binning: b, reset: true}
	for v := range s.sums {
		s.sums[v] = make([]int32, b.Bins*width*height)
	}
	return s, nil
}

// Push takes an event of a view and returns the steps that are complete by then: those
// that end at or before its time. The first event starts the first step. Both views
// together must be in the order of time: an event from before the step under way is
// counted by [Slicer.Late] and left out, as is one outside of the picture. After a
// pause of more than 1,200 steps a new stream begins, whose first step has Reset.
func (s *Slicer) Push(v View, e Event) []*Step {
	if e.X < 0 || e.Y < 0 || int(e.X) >= s.width || int(e.Y) >= s.height {
		s.late++
		return nil
	}
	if !s.began {
		s.began, s.start, s.number = true, e.T, 0
	}
	var steps []*Step
	if !(e.T >= s.end(-1)) {
		s.late++
		return nil
	}
	if e.T-s.end(0) > longestPause*s.binning.span() {
		steps = append(steps, s.finish())
		s.start, s.number, s.reset = e.T, 0, true
	}
	for e.T >= s.end(0) {
		steps = append(steps, s.finish())
	}
	bin := s.binning.Bins - 1 // oldest first, like Stack
	if b, ok := s.binning.bin(e.T, s.end(0)); ok {
		bin -= b
	}
	s.sums[v][(bin*s.height+int(e.Y))*s.width+int(e.X)] += int32(e.P)
	return steps
}

// end is when the step that is ahead steps from the one under way ends. It is a
// product, so that no error of rounding collects.
func (s *Slicer) end(ahead int) float64 {
	return s.start + float64(s.number+ahead+1)*s.binning.span()
}

// finish makes a step of what has come and begins the next.
func (s *Slicer) finish() *Step {
	step := &Step{
		Frame: Frame{Index: s.number}, Time: s.end(0), C: s.binning.Bins, H: s.height, W: s.width,
		Reset: s.reset, Left: take(s.sums[Left]), Right: take(s.sums[Right]),
	}
	s.reset = false
	s.number++
	return step
}

// take makes a stack of sums and clears them.
func take(sums []int32) []float32 {
	stack := make([]float32, len(sums))
	for i, sum := range sums {
		switch {
		case sum > 0:
			stack[i] = 1
		case sum < 0:
			stack[i] = -1
		}
	}
	clear(sums)
	return stack
}

// Flush ends the step under way before its time; nil if no event ever came.
func (s *Slicer) Flush() *Step {
	if !s.began {
		return nil
	}
	return s.finish()
}

// Late is how many events were left out.
func (s *Slicer) Late() int { return s.late }
