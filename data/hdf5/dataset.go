package hdf5

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/spikedhs/spikedhs/data/internal/number"
)

// Dataset is an array in a file. It may be used from several goroutines.
type Dataset struct {
	file    *File
	path    string
	shape   []int
	typ     number.Type
	fill    []byte // one element; nil is zero
	layout  layout
	filters []filter

	mu     sync.Mutex
	chunks []chunk // nil until the index is read
	recent []decoded
}

// maxRank is HDF5's own limit on the number of axes.
const maxRank = 32

// sharable are the messages that may lie in another place, which is not read.
var sharable = map[int]string{
	msgDataspace: "a shared data space", msgDatatype: "a named data type", msgFilters: "shared filters",
}

// Dataset opens the array at path, such as "davis/left/events". It fails with
// [ErrNotFound] where there is none.
func (f *File) Dataset(path string) (*Dataset, error) {
	at, err := f.find(path)
	if err != nil {
		return nil, err
	}
	list, err := f.messages(at)
	if err != nil {
		return nil, fmt.Errorf("/%s: %w", path, err)
	}
	d := &Dataset{file: f, path: path}
	var seen [256]bool
	for _, m := range list {
		c := &cursor{b: m.body, f: f}
		switch name := sharable[m.kind]; {
		case m.shared && name != "":
			err = unsupported("%s", name)
		case m.kind == msgDataspace:
			d.shape, err = parseDataspace(c)
		case m.kind == msgDatatype:
			d.typ, err = parseDatatype(c)
		case m.kind == msgLayout:
			d.layout, err = parseLayout(c)
		case m.kind == msgFilters:
			d.filters, err = parseFilters(c)
		case m.kind == msgFill:
			d.fill = parseFill(c)
		}
		if err != nil {
			return nil, fmt.Errorf("/%s: %w", path, err)
		}
		seen[m.kind&255] = true
	}
	if !seen[msgDataspace] || !seen[msgDatatype] || !seen[msgLayout] {
		return nil, fmt.Errorf("/%s is no array of numbers: %w", path, ErrNotFound)
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("/%s: %w", path, err)
	}
	return d, nil
}

// check compares sizes that different messages tell.
func (d *Dataset) check() error {
	total := d.typ.Size
	for _, n := range d.shape {
		if n > 0 && total > math.MaxInt/2/n {
			return malformed("shape %v is larger than any memory", d.shape)
		}
		total *= n
	}
	if len(d.fill) != d.typ.Size {
		d.fill = nil
	}
	if d.layout.kind != layoutChunked {
		if d.layout.kind == layoutCompact && len(d.layout.data) < total ||
			d.layout.kind == layoutContiguous && d.layout.address != undefined && d.layout.size < uint64(total) {
			return malformed("fewer bytes than its shape %v tells", d.shape)
		}
		return nil
	}
	if len(d.layout.chunk) != len(d.shape) {
		return malformed("chunks of %d axes for an array of %d", len(d.layout.chunk), len(d.shape))
	}
	size := d.typ.Size
	for _, n := range d.layout.chunk {
		if n < 1 || size > maxChunk/n {
			return malformed("chunks of %v elements", d.layout.chunk)
		}
		size *= n
	}
	return nil
}

// Shape are the lengths of the axes.
func (d *Dataset) Shape() []int { return slices.Clone(d.shape) }

// Rows is the length of the first axis; 1 for a single number.
func (d *Dataset) Rows() int {
	if len(d.shape) == 0 {
		return 1
	}
	return d.shape[0]
}

// RowLen is the number of elements of a row, all that one place on the first axis has.
func (d *Dataset) RowLen() int {
	n := 1
	for _, k := range d.shape[min(1, len(d.shape)):] {
		n *= k
	}
	return n
}

// ReadRows reads rows first..first+n-1 of d, one after the other, last axis fastest,
// converted to T as Go converts numbers.
func ReadRows[T Number](d *Dataset, first, n int) ([]T, error) {
	if first < 0 || n < 0 || first > d.Rows()-n {
		return nil, fmt.Errorf("hdf5: rows %d to %d of /%s, which has %d", first, first+n, d.path, d.Rows())
	}
	raw, err := d.read(first, n)
	if err != nil {
		return nil, fmt.Errorf("/%s: %w", d.path, err)
	}
	values := make([]T, n*d.RowLen())
	for i := range values {
		values[i] = number.Decode[T](d.typ, raw[i*d.typ.Size:])
	}
	return values, nil
}

// read gives the bytes of rows.
func (d *Dataset) read(first, n int) ([]byte, error) {
	row := d.RowLen() * d.typ.Size
	switch {
	case n == 0 || row == 0:
		return nil, nil
	case d.layout.kind == layoutCompact:
		return d.layout.data[first*row:][:n*row], nil
	case d.layout.kind == layoutContiguous && d.layout.address != undefined:
		c, err := d.file.block(d.layout.address+uint64(first*row), n*row)
		if err != nil {
			return nil, err
		}
		return c.b, nil
	}
	out := make([]byte, n*row)
	if d.fill != nil {
		for i := 0; i < len(out); i += len(d.fill) {
			copy(out[i:], d.fill)
		}
	}
	if d.layout.kind == layoutContiguous {
		return out, nil // never written
	}
	return out, d.readChunks(out, first, n)
}
