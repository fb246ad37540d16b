package hdf5

import (
	"encoding/binary"

	"github.com/spikedhs/spikedhs/data/internal/number"
)

// Number are the types that arrays convert to and from.
type Number interface{ number.Number }

var classNames = []string{"integer", "float", "time", "string", "bit field", "opaque", "compound", "reference", "enumeration", "variable-length", "array"}

func parseDatatype(c *cursor) (number.Type, error) {
	class := c.u8() & 15
	bits := c.u8()
	exponent := c.u8() // for floats: where the sign is
	c.skip(1)
	size := c.u32()
	offset, precision := c.u16(), c.u16()
	if c.err != nil {
		return number.Type{}, c.err
	}
	t := number.Type{Order: binary.LittleEndian, Kind: 'u', Size: size}
	if bits&1 != 0 {
		t.Order = binary.BigEndian
	}
	if class > 1 {
		return number.Type{}, unsupported("data of type %s", append(classNames, "unknown")[min(class, len(classNames))])
	}
	whole := offset == 0 && precision == 8*size
	if class == 1 {
		t.Kind = 'f'
		place, width := c.u8(), c.u8()
		if bits&0x40 != 0 || !whole || size != 4 && size != 8 || exponent != 8*size-1 ||
			size == 4 && (place != 23 || width != 8) || size == 8 && (place != 52 || width != 11) {
			return number.Type{}, unsupported("floats of %d bits other than IEEE 32 and 64", precision)
		}
		return t, c.err
	}
	if bits&8 != 0 {
		t.Kind = 'i'
	}
	if !whole || size != 1 && size != 2 && size != 4 && size != 8 {
		return number.Type{}, unsupported("integers of %d bits in %d bytes", precision, size)
	}
	return t, nil
}
