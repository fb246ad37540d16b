package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/spikedhs/spikedhs/data/internal/number"
)

const (
	magic = "\x93NUMPY"
	// maxHeader is the limit that NumPy itself puts on headers it trusts.
	maxHeader = 10_000
	// maxDims is NumPy's own limit on the number of axes.
	maxDims = 32
)

// header describes the array in a file.
type header struct {
	descr   string // "" for records
	fields  []field
	fortran bool
	shape   []int
}

// field is a number at a place of each record.
type field struct{ name, descr string }

func readHeader(r io.Reader) (header, error) {
	start, err := readBytes(r, len(magic)+2, "magic")
	if err != nil {
		return header{}, err
	}
	if string(start[:len(magic)]) != magic {
		return header{}, malformed("it does not start like one; give a file written by numpy.save")
	}
	digits := 4 // bytes of the length; version 3 allows UTF-8 in the names of fields
	switch major := start[len(magic)]; major {
	case 1:
		digits = 2
	case 2, 3:
	default:
		return header{}, malformed("version %d is unknown, versions 1 to 3 are read; save the array again with numpy.save", major)
	}
	size, err := readBytes(r, digits, "header length")
	if err != nil {
		return header{}, err
	}
	length := binary.LittleEndian.Uint32(append(size, 0, 0))
	if length > maxHeader {
		return header{}, malformed("the header claims more than %d bytes; save the array again with numpy.save", maxHeader)
	}
	text, err := readBytes(r, int(length), "header")
	if err != nil {
		return header{}, err
	}
	return parseHeader(string(text))
}

// readBytes reads a part of a file.
func readBytes(r io.Reader, n int, what string) ([]byte, error) {
	b, err := number.ReadBytes(r, n)
	if number.Truncated(err) {
		return nil, malformed("truncated in its %s after %d of %d bytes; copy the file again", what, len(b), n)
	}
	return b, err
}

// parseHeader reads the Python dictionary of a header, such as
// {'descr': '<f8', 'fortran_order': False, 'shape': (6, 4), }.
func parseHeader(text string) (header, error) {
	var h header
	p := literal{rest: text}
	seen := map[string]bool{}
	p.list('{', '}', func() {
		key := p.quoted()
		p.expect(':')
		if p.err == nil && seen[key] {
			p.fail("key %q twice", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			if h.fields = p.fields(); h.fields == nil {
				h.descr = p.quoted()
			}
		case "fortran_order":
			h.fortran = p.boolean()
		case "shape":
			h.shape = p.tuple()
		default:
			p.fail("unknown key %q", key)
		}
	})
	p.end()
	if p.err == nil && len(seen) != 3 {
		p.fail("descr, fortran_order or shape is missing")
	}
	if p.err == nil && len(h.shape) > maxDims {
		p.fail("%d axes, more than %d", len(h.shape), maxDims)
	}
	if p.err != nil {
		return header{}, malformed("header: %v; save the array again with numpy.save", p.err)
	}
	return h, nil
}

// elements is the number of elements, checked so that their bytes can be counted.
func (h header) elements(size int) (int, error) {
	n := 1
	if slices.Contains(h.shape, 0) {
		return 0, nil
	}
	for _, d := range h.shape {
		if n > math.MaxInt/size/d {
			return 0, malformed("its shape %v is larger than any memory", h.shape)
		}
		n *= d
	}
	return n, nil
}

// formatHeader is the start of a version 1 file. The array begins at a multiple of 64
// bytes, as numpy.save has it since NumPy 1.14.
func formatHeader(descr string, shape []int) ([]byte, error) {
	const align = 64
	text := "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + formatTuple(shape) + ", }"
	// NumPy leaves room for a longer first axis, so that appending fits later.
	if len(shape) > 0 {
		text += strings.Repeat(" ", max(0, growth-len(strconv.Itoa(shape[0]))))
	}
	used := (len(magic) + 4 + len(text) + 1) % align
	text += strings.Repeat(" ", (align-used)%align) + "\n"
	if len(text) > math.MaxUint16 {
		return nil, malformed("a shape of %d axes does not fit into the header", len(shape))
	}
	b := append([]byte(magic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...), nil
}

// Number are the types that arrays convert to and from.
type Number interface{ number.Number }

// parseDType reads a type string such as "<i8".
func parseDType(descr string) (number.Type, error) {
	if strings.HasSuffix(descr, "O") {
		return number.Type{}, malformed("type %q holds Python objects, which are not read for safety; save plain numbers", descr)
	}
	bad := malformed("type %q is not a plain number; save the array as float64 or int64", descr)
	if len(descr) != 3 {
		return number.Type{}, bad
	}
	t := number.Type{Kind: descr[1], Size: int(descr[2] - '0')}
	switch {
	case descr[0] == '<' || descr[0] == '|' && t.Size == 1:
		t.Order = binary.LittleEndian
	case descr[0] == '>':
		t.Order = binary.BigEndian
	default:
		return number.Type{}, bad
	}
	switch descr[1:] {
	case "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8":
		return t, nil
	case "b1": // booleans are bytes 0 and 1
		t.Kind = 'u'
		return t, nil
	}
	return number.Type{}, bad
}

// descrOf is the type string that a []T is written with.
func descrOf[T Number]() string {
	order, t := "<", reflect.TypeFor[T]()
	if t.Size() == 1 {
		order = "|"
	}
	return fmt.Sprintf("%s%c%d", order, t.String()[0], t.Size())
}
