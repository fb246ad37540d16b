package stereo

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spikedhs/spikedhs/data/npy"
)

// Recording are the events of two cameras that are not cut into frames.
type Recording struct {
	// Width and Height are the size of the picture in pixels.
	Width, Height int
	// Events are those of the left and the right view, in the order of time.
	Events [2][]Event
	// Counts tells what was wrong with the file.
	Counts Counts
}

// RecordingOptions say how to read a recording.
type RecordingOptions struct {
	// Width and Height are the size of the sensors. Default: 128 x 128, a DVS128.
	Width, Height int
}

// ReadRecording reads a recording of two cameras: text of five columns (.dat, see
// [ReadDAT]) or an archive of arrays (.npz) left and right with rows time in us, x, y,
// polarity (0 or 1). It fails with data.ErrFormat on other content.
func ReadRecording(path string, o RecordingOptions) (*Recording, error) {
	if filepath.Ext(path) == ".npz" {
		return readNPZ(path, o)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, classify(err)
	}
	defer f.Close()
	r, err := ReadDAT(f, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// ReadDAT reads lines "time x y polarity retina", time in microseconds; # starts a
// comment. The lines of one retina are put into the order of time where they are not.
// Lines of another form are an error that names the line; events outside of the
// picture or with another polarity are counted and left out.
//
// The files of Dikov et al. (2017) have two dialects. Those with a polarity of -1 count
// pixels from 1, have polarities -1 and 1, and retina 0 is the left view (movingPersons);
// others count from 0, have polarities 0 and 1, and retina 1 is the left view (Fan_disp8).
func ReadDAT(r io.Reader, o RecordingOptions) (*Recording, error) {
	rec, err := newRecording(o)
	if err != nil {
		return nil, err
	}
	rows, fromOne, err := parseDAT(r)
	if err != nil {
		return nil, err
	}
	for retina, list := range rows {
		view := View(retina)
		for i := 0; i < len(list); i += 4 {
			list[i] /= 1e6
			if fromOne {
				list[i+1]--
				list[i+2]--
			} else {
				list[i+3] = fromBit(list[i+3])
			}
		}
		if !fromOne {
			view = 1 - view
		}
		rec.put(view, list)
	}
	return rec, nil
}

// parseDAT gives the rows time, x, y, polarity of each retina, and whether a polarity is
// negative.
func parseDAT(r io.Reader) (rows [2][]float64, negative bool, err error) {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := bytes.Cut(lines.Bytes(), []byte("#"))
		fields := bytes.Fields(text)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 5 {
			return rows, false, malformed("line %d has %d columns; an event is: time in us, x, y, polarity, retina", n, len(fields))
		}
		var v [5]float64
		for i, field := range fields {
			if v[i], err = strconv.ParseFloat(string(field), 64); err != nil {
				return rows, false, malformed("line %d: %.20q is no number", n, field)
			}
		}
		if v[4] != 0 && v[4] != 1 {
			return rows, false, malformed("line %d: retina %g; it is 0 or 1", n, v[4])
		}
		negative = negative || v[3] == -1
		rows[int(v[4])] = append(rows[int(v[4])], v[:4]...)
	}
	if err := lines.Err(); err != nil {
		if err == bufio.ErrTooLong {
			err = malformed("a line is longer than any event; give a text file")
		}
		return rows, false, err
	}
	return rows, negative, nil
}

// fromBit makes -1 and +1 of polarities 0 and 1, and leaves others wrong.
func fromBit(p float64) float64 {
	if p == 0 || p == 1 {
		return 2*p - 1
	}
	return 0
}

// put stores the rows of a view.
func (r *Recording) put(v View, rows []float64) {
	events, counts := Filter(rows, [4]int{0, 1, 2, 3}, r.Width, r.Height)
	if counts.Unsorted > 0 {
		slices.SortStableFunc(events, func(a, b Event) int { return cmp.Compare(a.T, b.T) })
	}
	r.Events[v] = events
	r.Counts.Add(counts)
}

func readNPZ(path string, o RecordingOptions) (*Recording, error) {
	rec, err := newRecording(o)
	if err != nil {
		return nil, err
	}
	arrays, err := npy.ReadZip(path, Left.String(), Right.String())
	if err != nil {
		return nil, classify(err)
	}
	for _, v := range []View{Left, Right} {
		array := arrays[v.String()]
		if len(array.Shape) != 2 || array.Shape[1] != 4 {
			return nil, malformed("%s: array %s has shape %v; events are rows of t, x, y, p", path, v, array.Shape)
		}
		rows := npy.Values[float64](array)
		for i := 0; i < len(rows); i += 4 {
			rows[i] /= 1e6
			rows[i+3] = fromBit(rows[i+3])
		}
		rec.put(v, rows)
	}
	return rec, nil
}

// newRecording is one without events yet.
func newRecording(o RecordingOptions) (*Recording, error) {
	if o == (RecordingOptions{}) {
		o = RecordingOptions{128, 128}
	}
	if !validSize(o.Width, o.Height) {
		return nil, fmt.Errorf("stereo: a recording of %d x %d pixels: choose 1 to %d", o.Width, o.Height, maxSide)
	}
	return &Recording{Width: o.Width, Height: o.Height}, nil
}

// Steps cuts a recording into stacks, one every so many seconds from its first event on
// (0: without a gap), for a network that streams. There are no labels.
func (r *Recording) Steps(b Binning, every float64) (*Slicer, error) {
	rest := r.Events
	return NewSlicer(r.Width, r.Height, b, every, func() (View, Event, error) {
		v := Left
		switch {
		case len(rest[Left])+len(rest[Right]) == 0:
			return v, Event{}, io.EOF
		case len(rest[Left]) == 0, len(rest[Right]) > 0 && rest[Right][0].T < rest[Left][0].T:
			v = Right
		}
		e := rest[v][0]
		rest[v] = rest[v][1:]
		return v, e, nil
	})
}
