package events

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// ErrFormat marks content that is no recording, or not one of the sensor it
// should be of. Its errors are one line that says what is wrong.
var ErrFormat = errors.New("bad event data")

// malformed describes bad content as an ErrFormat.
func malformed(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrFormat)
}

// header cuts off the lines that begin with mark.
func header(content []byte, mark byte) (lines []string, rest []byte, err error) {
	for len(content) > 0 && content[0] == mark {
		line, behind, found := bytes.Cut(content, []byte{'\n'})
		if !found {
			return nil, nil, malformed("truncated: the header has no end")
		}
		lines, content = append(lines, strings.TrimSpace(string(line))), behind
	}
	return lines, content, nil
}

// Event is a change of brightness at a pixel.
type Event struct {
	// T is the time in seconds, from any origin.
	T float64
	// X and Y are column and row, from 0 at the upper left.
	X, Y uint16
	// P is the polarity, +1 brighter or -1 darker.
	P int8
}

// largestMicroseconds is the largest time, from its origin, whose microseconds are kept
// exactly: some seventy years.
const largestMicroseconds = 1 << 51

// At is an event at a time in microseconds, on for brighter.
func At(microseconds int64, x, y uint16, on bool) Event {
	e := Event{T: float64(microseconds) / 1e6, X: x, Y: y, P: -1}
	if on {
		e.P = 1
	}
	return e
}

// Microseconds is the time in whole microseconds, that of [At] exactly.
func (e Event) Microseconds() int64 { return int64(math.Round(e.T * 1e6)) }

// Recording is a list of events in the order of their times.
type Recording struct {
	Events []Event
	// Width and Height are the sensor's, in pixels: those of [Options], else those
	// that the file declares, else the smallest that hold all events.
	Width, Height int
	// Declared tells that Width and Height are not merely the smallest.
	Declared bool
	// Problems are what was put right.
	Problems Problems
}

// Duration is the time from the first event to the last in microseconds.
func (r *Recording) Duration() int64 {
	if len(r.Events) == 0 {
		return 0
	}
	return r.Events[len(r.Events)-1].Microseconds() - r.Events[0].Microseconds()
}

// Problems count what was put right in a recording.
type Problems struct {
	// Unsorted events came after one of a later time; all were sorted.
	Unsorted int
	// Wrapped is how often the counter of time began again from 0; it was continued.
	Wrapped int
	// Outside events lay beside the sensor and were dropped.
	Outside int
	// Special words of the file are no changes of brightness (triggers, frames);
	// they were skipped.
	Special int
}

// Any tells whether there was a problem. Special words are none.
func (p Problems) Any() bool { return p.Unsorted+p.Wrapped+p.Outside > 0 }

// Add sums problems of several recordings.
func (p Problems) Add(q Problems) Problems {
	return Problems{p.Unsorted + q.Unsorted, p.Wrapped + q.Wrapped, p.Outside + q.Outside, p.Special + q.Special}
}

// String names what there is, such as "3 events out of order, 1 wrap of the clock".
func (p Problems) String() string {
	var list []string
	for _, kind := range []struct {
		count      int
		noun, what string
	}{
		{p.Unsorted, "event", " out of order, sorted"},
		{p.Wrapped, "wrap", " of the clock, continued"},
		{p.Outside, "event", " beside the sensor, dropped"},
		{p.Special, "special word", ", skipped"},
	} {
		if kind.count > 1 {
			kind.noun += "s"
		}
		if kind.count > 0 {
			list = append(list, fmt.Sprintf("%d %s%s", kind.count, kind.noun, kind.what))
		}
	}
	if list == nil {
		return "no problems"
	}
	return strings.Join(list, "; ")
}

// maxDuration is the longest recording in microseconds: 8 years. It keeps the
// arithmetic of the stacks inside 64 bits.
const maxDuration = 1 << 48

// Finish checks the events that a reader found, puts right what can be, and
// settles the size of the sensor. declaredW and declaredH are the file's, 0: unknown.
func (r *Recording) Finish(o Options, declaredW, declaredH int) error {
	if len(r.Events) == 0 {
		return malformed("no events")
	}
	r.Width, r.Height = o.Width, o.Height
	if r.Width == 0 || r.Height == 0 {
		r.Width, r.Height = declaredW, declaredH
	}
	r.Declared = r.Width > 0 && r.Height > 0
	if r.Declared {
		if err := r.crop(); err != nil {
			return err
		}
	} else {
		r.Width, r.Height = 0, 0
		for _, e := range r.Events {
			r.Width, r.Height = max(r.Width, int(e.X)+1), max(r.Height, int(e.Y)+1)
		}
	}
	latest := r.Events[0].T
	for _, e := range r.Events {
		if e.T < latest {
			r.Problems.Unsorted++
		}
		latest = max(latest, e.T)
	}
	if r.Problems.Unsorted > 0 {
		slices.SortStableFunc(r.Events, func(a, b Event) int { return cmp.Compare(a.T, b.T) })
	}
	if d := r.Duration(); d < 0 || d > maxDuration {
		return malformed("the events span more than %d days; are their times in microseconds?", int64(maxDuration)/86_400_000_000)
	}
	return nil
}

// crop drops the events beside the sensor. Where these are most of them it is not
// this sensor's recording.
func (r *Recording) crop() error {
	kept := r.Events[:0]
	for _, e := range r.Events {
		if int(e.X) < r.Width && int(e.Y) < r.Height {
			kept = append(kept, e)
		}
	}
	total := len(r.Events)
	r.Problems.Outside = total - len(kept)
	if 2*r.Problems.Outside > total {
		return malformed("%d of %d events lie beside a sensor of %d x %d pixels; state the sensor's size",
			r.Problems.Outside, total, r.Width, r.Height)
	}
	r.Events = kept
	return nil
}

// clock continues a counter of so many bits that begins again from 0.
type clock struct {
	bits uint
	last int64
	base int64
}

// at is the continued time of a counter's value. A step back by more than half
// the range is a new beginning; a smaller one is an event out of order.
func (c *clock) at(value int64, p *Problems) int64 {
	if value < c.last-1<<(c.bits-1) {
		c.base += 1 << c.bits
		p.Wrapped++
	}
	c.last = value
	return c.base + value
}
