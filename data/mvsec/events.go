package mvsec

import (
	"math"
	"sort"

	"github.com/spikedhs/spikedhs/data/hdf5"
)

// block is how many events are read at a time.
const block = 1 << 16

// window reads the events of one time after the other from a long array of rows x, y,
// t, p. Time has to rise, from event to event and from window to window.
type window struct {
	set      *hdf5.Dataset
	next     int       // row to read
	rows     []float64 // read and not yet left behind
	last     float64   // time of the last event read
	unsorted int
}

// seek goes to the first event after time t.
func (w *window) seek(t float64) error {
	var failed error
	w.next = sort.Search(w.set.Rows(), func(i int) bool {
		row, err := hdf5.ReadRows[float64](w.set, i, 1)
		if err != nil {
			failed = err
			return true
		}
		return row[2] > t
	})
	w.rows, w.last = nil, math.Inf(-1)
	return failed
}

// events are the rows with from < t < to.
func (w *window) events(from, to float64) ([]float64, error) {
	behind := 0
	for behind < len(w.rows) && w.rows[behind+2] <= from {
		behind += 4
	}
	w.rows = w.rows[behind:]
	for w.next < w.set.Rows() && w.last < to {
		n := min(block, w.set.Rows()-w.next)
		rows, err := hdf5.ReadRows[float64](w.set, w.next, n)
		if err != nil {
			return nil, err
		}
		w.next += n
		for i := 0; i < len(rows); i += 4 {
			switch t := rows[i+2]; {
			case t < w.last:
				w.unsorted++
			case t > w.last: // not a number that is none
				w.last = t
			}
		}
		w.rows = append(w.rows[:len(w.rows):len(w.rows)], rows...)
	}
	var found []float64
	for i := 0; i < len(w.rows); i += 4 {
		if t := w.rows[i+2]; t > from && t < to {
			found = append(found, w.rows[i:i+4]...)
		}
	}
	return found, nil
}
