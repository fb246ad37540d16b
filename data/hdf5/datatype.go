package hdf5

import (
	"encoding/binary"
	"math"
)

// Number are the types that arrays convert to.
type Number interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// datatype is a number type: byte order, kind (i, u or f) and size in bytes.
type datatype struct {
	order binary.ByteOrder
	kind  byte
	size  int
}

var classNames = []string{"integer", "float", "time", "string", "bit field", "opaque", "compound", "reference", "enumeration", "variable-length", "array"}

func parseDatatype(m message, f *File) (datatype, error) {
	if m.shared {
		return datatype{}, unsupported("a named data type")
	}
	c := &cursor{b: m.body, f: f}
	class := c.u8() & 15
	bits := c.u8()
	exponent := c.u8() // for floats: where the sign is
	c.skip(1)
	size := c.u32()
	offset, precision := c.u16(), c.u16()
	if c.err != nil {
		return datatype{}, c.err
	}
	t := datatype{order: binary.LittleEndian, kind: 'u', size: size}
	if bits&1 != 0 {
		t.order = binary.BigEndian
	}
	if class > 1 {
		name := "unknown"
		if class < len(classNames) {
			name = classNames[class]
		}
		return datatype{}, unsupported("data of type %s", name)
	}
	whole := offset == 0 && precision == 8*size
	if class == 1 {
		t.kind = 'f'
		place, width := c.u8(), c.u8()
		if bits&0x40 != 0 || !whole || size != 4 && size != 8 || exponent != 8*size-1 ||
			size == 4 && (place != 23 || width != 8) || size == 8 && (place != 52 || width != 11) {
			return datatype{}, unsupported("floats of %d bits other than IEEE 32 and 64", precision)
		}
		return t, c.err
	}
	if bits&8 != 0 {
		t.kind = 'i'
	}
	if !whole || size != 1 && size != 2 && size != 4 && size != 8 {
		return datatype{}, unsupported("integers of %d bits in %d bytes", precision, size)
	}
	return t, nil
}

// decode converts one element as Go converts numbers.
func decode[T Number](t datatype, b []byte) T {
	var bits uint64
	switch t.size {
	case 1:
		bits = uint64(b[0])
	case 2:
		bits = uint64(t.order.Uint16(b))
	case 4:
		bits = uint64(t.order.Uint32(b))
	default:
		bits = t.order.Uint64(b)
	}
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
