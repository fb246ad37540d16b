package npy

import (
	"encoding/binary"
	"math"
	"strings"
)

// Number are the element types that arrays convert to and from.
type Number interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// dtype is an element type: byte order, kind (i, u or f) and size in bytes.
type dtype struct {
	order binary.ByteOrder
	kind  byte
	size  int
}

// parseDType reads a type string such as "<i8".
func parseDType(descr string) (dtype, error) {
	if strings.HasSuffix(descr, "O") {
		return dtype{}, malformed("type %q holds Python objects, which are not read for safety; save plain numbers", descr)
	}
	bad := malformed("type %q is not a plain number; save the array as float64 or int64", descr)
	if len(descr) != 3 {
		return dtype{}, bad
	}
	t := dtype{kind: descr[1], size: int(descr[2] - '0')}
	switch {
	case descr[0] == '<' || descr[0] == '|' && t.size == 1:
		t.order = binary.LittleEndian
	case descr[0] == '>':
		t.order = binary.BigEndian
	default:
		return dtype{}, bad
	}
	switch descr[1:] {
	case "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8":
		return t, nil
	case "b1": // booleans are bytes 0 and 1
		t.kind = 'u'
		return t, nil
	}
	return dtype{}, bad
}

// descrOf is the type string that a []T is written with.
func descrOf[T Number]() string {
	var zero T
	switch any(zero).(type) {
	case int8:
		return "|i1"
	case uint8:
		return "|u1"
	case int16:
		return "<i2"
	case uint16:
		return "<u2"
	case int32:
		return "<i4"
	case uint32:
		return "<u4"
	case int64:
		return "<i8"
	case uint64:
		return "<u8"
	case float32:
		return "<f4"
	}
	return "<f8"
}

func (t dtype) bits(b []byte) uint64 {
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

// decode converts one element as Go converts numbers: floats to integers by
// truncation, wide integers to narrow ones by dropping bits.
func decode[T Number](t dtype, b []byte) T {
	bits := t.bits(b)
	switch {
	case t.kind == 'f' && t.size == 4:
		return T(math.Float32frombits(uint32(bits)))
	case t.kind == 'f':
		return T(math.Float64frombits(bits))
	case t.kind == 'i':
		unused := 64 - 8*t.size
		return T(int64(bits<<unused) >> unused)
	}
	return T(bits)
}
