package stereo

import (
	"fmt"
	"math"

	"github.com/spikedhs/spikedhs/data/events"
	"github.com/spikedhs/spikedhs/data/npy"
)

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

// ReadEvents reads an event file of a frame: a float64 array of rows t, x, y, p, or an
// empty array. Events outside of a width x height picture or with a polarity other
// than -1 and +1 are left out and counted, in the order of Counts' fields.
func ReadEvents(path string, width, height int) ([]Event, Counts, error) {
	array, err := npy.ReadFile(path)
	if err != nil {
		return nil, Counts{}, classify(err)
	}
	if array.Len() == 0 {
		return nil, Counts{}, nil
	}
	if len(array.Shape) != 2 || array.Shape[1] != 4 {
		return nil, Counts{}, malformed("%s: shape %v; events are rows of t, x, y, p, shape (N, 4)", path, array.Shape)
	}
	events, counts := Filter(npy.Values[float64](array), [4]int{0, 1, 2, 3}, width, height)
	return events, counts, nil
}

// Filter makes events of rows of four numbers, see [ReadEvents]; columns says where t, x, y
// and p are.
func Filter(rows []float64, columns [4]int, width, height int) ([]Event, Counts) {
	events := make([]Event, 0, len(rows)/4)
	var c Counts
	before := math.Inf(-1)
	for ; len(rows) >= 4; rows = rows[4:] {
		c.Events++
		t, x, y, p := rows[columns[0]], rows[columns[1]], rows[columns[2]], rows[columns[3]]
		switch {
		case math.IsNaN(t) || math.IsInf(t, 0):
			c.BadTime++
			continue
		case !(x >= 0 && x < float64(width) && y >= 0 && y < float64(height)) || x != math.Trunc(x) || y != math.Trunc(y):
			c.OutOfFrame++
			continue
		case p != 1 && p != -1:
			c.BadPolarity++
			continue
		}
		if t < before {
			c.Unsorted++
		}
		before = t
		events = append(events, Event{T: t, X: uint16(x), Y: uint16(y), P: int8(p)})
	}
	return events, c
}

// WriteEvents writes an event file, see [ReadEvents]. No events are an array of shape
// (0,), as DDES writes them.
func WriteEvents(path string, events []Event) error {
	shape := []int{len(events), 4}
	if len(events) == 0 {
		shape = []int{0}
	}
	rows := make([]float64, 0, 4*len(events))
	for _, e := range events {
		rows = append(rows, e.T, float64(e.X), float64(e.Y), float64(e.P))
	}
	if err := npy.WriteFile(path, shape, rows); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
