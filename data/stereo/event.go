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
	more := d.fields()
	for i, n := range c.fields() {
		*n += *more[i]
	}
}

func (c *Counts) fields() [6]*int {
	return [...]*int{&c.Events, &c.Unsorted, &c.OutOfFrame, &c.BadPolarity, &c.BadTime, &c.Unlabelled}
}

// countNames are the names of the fields in a log.
var countNames = [6]string{"events", "unsorted", "out_of_frame", "bad_polarity", "bad_time", "frames_without_label"}

// Clean reports whether nothing was wrong.
func (c Counts) Clean() bool { return c == Counts{Events: c.Events} }

// LogArgs are the counts of what was wrong as arguments of a slog call.
func (c Counts) LogArgs() []any {
	var args []any
	for i, n := range c.fields() {
		if i == 0 || *n > 0 {
			args = append(args, countNames[i], *n)
		}
	}
	return args
}
