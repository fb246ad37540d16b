package genotype

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// maxMagnitude bounds the numbers read from a file, far above any edge number.
const maxMagnitude = 1 << 30

// npyDType is an element type of NumPy: byte order, kind (i, u or f) and size.
type npyDType struct {
	order binary.ByteOrder
	kind  byte
	size  int
}

// parseDType reads a type string such as "<i8".
func parseDType(descr string) (npyDType, error) {
	if strings.HasSuffix(descr, "O") {
		return npyDType{}, invalid("npy descr", "%q is a pickled object array, which is not read for safety; "+
			"save it again as a plain one with numpy.save(file, numpy.asarray(g, dtype=numpy.int64))", descr)
	}
	bad := invalid("npy descr", "%q is not a number type; save the array as int64", descr)
	if len(descr) != 3 {
		return npyDType{}, bad
	}
	t := npyDType{kind: descr[1], size: int(descr[2] - '0')}
	switch {
	case descr[0] == '<' || descr[0] == '|' && t.size == 1:
		t.order = binary.LittleEndian
	case descr[0] == '>':
		t.order = binary.BigEndian
	default:
		return npyDType{}, bad
	}
	switch descr[1:] {
	case "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8":
		return t, nil
	}
	return npyDType{}, bad
}

// integer decodes one element that holds a whole number.
func (t npyDType) integer(b []byte) (int, error) {
	v := t.float(b)
	if !(math.Abs(v) <= maxMagnitude) {
		return 0, fmt.Errorf("%v is out of range", v)
	}
	if v != math.Trunc(v) {
		return 0, fmt.Errorf("%v is a fraction", v)
	}
	return int(v), nil
}

// float decodes one element. Integers above 2^53 are rounded, but stay above
// maxMagnitude.
func (t npyDType) float(b []byte) float64 {
	bits := t.bits(b)
	switch {
	case t.kind == 'f' && t.size == 4:
		return float64(math.Float32frombits(uint32(bits)))
	case t.kind == 'f':
		return math.Float64frombits(bits)
	case t.kind == 'i':
		unused := 64 - 8*t.size
		return float64(int64(bits<<unused) >> unused)
	}
	return float64(bits)
}

func (t npyDType) bits(b []byte) uint64 {
	switch t.size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(t.order.Uint16(b))
	case 4:
		return uint64(t.order.Uint32(b))
	}
	return t.order.Uint64(b)
}
