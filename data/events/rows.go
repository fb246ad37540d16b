package events

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spikedhs/spikedhs/data/npy"
)

// fromRows makes a recording of rows of four finite numbers, x,y,t,p or t,x,y,p.
// Times with fractions are seconds, others microseconds. Polarities are 1 for ON,
// 0 or -1 for OFF.
func fromRows(rows []float64, o Options) (*Recording, error) {
	if len(rows) == 0 {
		return nil, malformed("no events")
	}
	columns, err := columnsOf(rows, o)
	if err != nil {
		return nil, err
	}
	x, y, t := columns[0], columns[1], columns[2]
	seconds := false
	for i := t; i < len(rows); i += 4 {
		if rows[i] != math.Trunc(rows[i]) {
			seconds = true
			break
		}
	}
	const micro = 1e6
	r := &Recording{Events: make([]Event, 0, len(rows)/4)}
	for n := 0; n < len(rows); n += 4 {
		row := rows[n : n+4]
		time := row[t]
		if seconds {
			time = math.Round(time * micro)
		}
		switch p := row[3]; {
		case p != 1 && p != 0 && p != -1:
			return nil, malformed("event %d has polarity %g; want 1 for ON, 0 or -1 for OFF", n/4, p)
		case math.Abs(time) > largestMicroseconds:
			return nil, malformed("event %d has time %g", n/4, row[t])
		case !whole(row[x]) || !whole(row[y]):
			return nil, malformed("event %d lies at column %g, row %g", n/4, row[x], row[y])
		}
		if !pixel(row[x]) || !pixel(row[y]) {
			r.Problems.Outside++
			continue
		}
		r.Events = append(r.Events, At(int64(time), uint16(row[x]), uint16(row[y]), row[3] == 1))
	}
	before := r.Problems.Outside
	if 2*before > len(rows)/4 {
		return nil, malformed("%d of %d events lie at no pixel; is the order of the columns right?", before, len(rows)/4)
	}
	if err := r.Finish(o, 0, 0); err != nil {
		return nil, err
	}
	r.Problems.Outside += before
	return r, nil
}

func whole(v float64) bool { return v == math.Trunc(v) && math.Abs(v) < 1<<53 }

// pixel tells whether a whole number can be a column or row.
func pixel(v float64) bool { return v >= 0 && v < 1<<16 }

// columnsOf are the places of x, y and t in a row; the polarity is the last in
// both orders. Where nothing is stated, the order is the one under which all
// events lie on the sensor; where both do, the one under which times ascend.
func columnsOf(rows []float64, o Options) ([3]int, error) {
	first, second := [3]int{0, 1, 2}, [3]int{1, 2, 0}
	switch o.Columns {
	case "xytp":
		return first, nil
	case "txyp":
		return second, nil
	case "", "auto":
	default:
		return first, malformed("columns %q; want xytp, txyp or auto", o.Columns)
	}
	a, b := fits(rows, first, o), fits(rows, second, o)
	if !a && !b {
		return first, malformed("the numbers are neither x,y,t,p nor t,x,y,p of the sensor; state the order of the columns, and the sensor's size")
	}
	if a && b {
		a, b = ascends(rows, 2), ascends(rows, 0)
	}
	switch {
	case a && !b:
		return first, nil
	case b && !a:
		return second, nil
	}
	return first, malformed("the order of the columns is not clear; state xytp or txyp")
}

// fits tells whether nearly all events lie on the sensor under an order of columns.
func fits(rows []float64, columns [3]int, o Options) bool {
	width, height := o.Width, o.Height
	if width == 0 || height == 0 {
		width, height = 1<<13, 1<<13 // no sensor is larger, and few times are smaller
	}
	good := 0
	for n := 0; n < len(rows); n += 4 {
		x, y := rows[n+columns[0]], rows[n+columns[1]]
		if whole(x) && whole(y) && x >= 0 && y >= 0 && x < float64(width) && y < float64(height) {
			good++
		}
	}
	return 10*good >= 9*(len(rows)/4)
}

// ascends tells whether a column never falls, and is not one number only.
func ascends(rows []float64, column int) bool {
	for n := column + 4; n < len(rows); n += 4 {
		if rows[n] < rows[n-4] {
			return false
		}
	}
	return rows[column] != rows[len(rows)-4+column]
}

func init() { Register(".npy", decodeNPY) }

// decodeNPY reads an array of N rows of four numbers, or N records with the
// fields x, y, t and p (or timestamp, polarity).
func decodeNPY(content []byte, o Options) (*Recording, error) {
	array, err := npy.ReadWhole(bytes.NewReader(content))
	var rows []float64
	switch {
	case errors.Is(err, npy.ErrRecords):
		rows, err = records(content)
		o.Columns = "xytp"
	case err == nil && (len(array.Shape) != 2 || array.Shape[1] != 4):
		return nil, malformed("an array of shape %v; want N rows of 4 numbers, or N records", array.Shape)
	case err == nil:
		rows = npy.Values[float64](array)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	for i, v := range rows {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, malformed("event %d has a number that is not finite", i/4)
		}
	}
	return fromRows(rows, o)
}

// records are the rows x, y, t, p of a list of records, whatever else these hold.
func records(content []byte) ([]float64, error) {
	fields, all, err := npy.ReadRecords(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	var places [4]int
	for i, names := range [][]string{{"x"}, {"y"}, {"t", "ts", "timestamp", "time"}, {"p", "polarity", "pol"}} {
		places[i] = slices.IndexFunc(fields, func(name string) bool { return slices.Contains(names, strings.ToLower(name)) })
		if places[i] < 0 {
			return nil, malformed("records without a field %s, with %q", names[0], fields)
		}
	}
	rows := make([]float64, 0, 4*len(all)/len(fields))
	for ; len(all) > 0; all = all[len(fields):] {
		for _, k := range places {
			rows = append(rows, all[k])
		}
	}
	return rows, nil
}

func init() {
	Register(".txt", decodeText)
}

// decodeText reads lines of four numbers, "t x y p" unless the options say
// otherwise; those that begin with '#' and empty ones are skipped.
func decodeText(content []byte, o Options) (*Recording, error) {
	var rows []float64
	number := 0
	for line := range bytes.Lines(content) {
		number++
		words := bytes.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if len(words) != 4 {
			return nil, malformed("line %d has %d words, want 4: t x y p", number, len(words))
		}
		for _, word := range words {
			x, err := strconv.ParseFloat(string(word), 64)
			if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, malformed("line %d: %.40q is no number", number, word)
			}
			rows = append(rows, x)
		}
	}
	return fromRows(rows, o)
}
