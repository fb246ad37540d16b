package stereo

import "github.com/spikedhs/spikedhs/data/events"

// View is one of the two cameras.
type View int

// The left camera is the reference: disparity belongs to its pixels.
const (
	Left View = iota
	Right
)

func (v View) String() string {
	if v == Left {
		return "left"
	}
	return "right"
}

// Event is one change of brightness that a pixel reported, its time in seconds.
type Event = events.Event

// Counts tells what was found in events and labels, and what of it was wrong. Wrong
// events are left out of stacks; events out of order are not, since a stack does not
// depend on order.
type Counts struct {
	// Events is how many rows were read.
	Events int
	// Unsorted is how many have a time before their predecessor's.
	Unsorted int
	// OutOfFrame is how many have a pixel outside of the picture, or one that is not a
	// whole number.
	OutOfFrame int
	// BadPolarity is how many have a polarity other than -1 and +1.
	BadPolarity int
	// BadTime is how many have a time that is no number or outside of the window that
	// their file stands for.
	BadTime int
	// Unlabelled is how many frames have no valid pixel in their label.
	Unlabelled int
}

// Add adds d to c.
func (c *Counts) Add(d Counts) {
	c.Events += d.Events
	c.Unsorted += d.Unsorted
	c.OutOfFrame += d.OutOfFrame
	c.BadPolarity += d.BadPolarity
	c.BadTime += d.BadTime
	c.Unlabelled += d.Unlabelled
}

// Clean reports whether nothing was wrong.
func (c Counts) Clean() bool { return c == Counts{Events: c.Events} }

// LogArgs are the counts of what was wrong as arguments of a slog call.
func (c Counts) LogArgs() []any {
	args := []any{"events", c.Events}
	for _, count := range []struct {
		name string
		n    int
	}{
		{"unsorted", c.Unsorted}, {"out_of_frame", c.OutOfFrame}, {"bad_polarity", c.BadPolarity},
		{"bad_time", c.BadTime}, {"frames_without_label", c.Unlabelled},
	} {
		if count.n > 0 {
			args = append(args, count.name, count.n)
		}
	}
	return args
}
