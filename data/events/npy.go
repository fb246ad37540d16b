package events

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/data/npy"
)

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
