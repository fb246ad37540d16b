package hdf5

import (
	"encoding/binary"

	"github.com/spikedhs/spikedhs/data/internal/number"
)

func parseDataspace(c *cursor) ([]int, error) {
	version, rank := c.u8(), c.u8()
	c.skip(1) // flags: maximal sizes follow, which do not matter
	switch version {
	case 1:
		c.skip(5)
	case 2:
		if c.u8() == 2 {
			return nil, unsupported("an array without elements")
		}
	default:
		return nil, unsupported("data space version %d", version)
	}
	if rank > maxRank {
		return nil, malformed("%d axes", rank)
	}
	shape := make([]int, rank)
	for i := range shape {
		n := c.length()
		if n > 1<<48 {
			return nil, malformed("an axis of %d elements", n)
		}
		shape[i] = int(n)
	}
	return shape, c.err
}

// Kinds of storage.
const (
	layoutCompact = iota
	layoutContiguous
	layoutChunked
)

// layout says where the elements are.
type layout struct {
	kind    int
	data    []byte // compact
	address uint64 // contiguous: the elements; chunked: the index
	size    uint64 // contiguous
	chunk   []int  // chunked: elements of a chunk on each axis
	// single is the chunk of an array that is just one (layout version 4).
	single *chunk
}

// maxChunk bounds the bytes of a chunk; HDF5 itself allows 4 GiB.
const maxChunk = 1 << 30

func parseLayout(c *cursor) (layout, error) {
	version := c.u8()
	var l layout
	switch version {
	case 1, 2:
		l = layoutOld(c)
	case 3, 4:
		l.kind = c.u8()
		switch {
		case l.kind == layoutCompact:
			l.data = c.bytes(c.u16())
		case l.kind == layoutContiguous:
			l.address, l.size = c.offset(), c.length()
		case l.kind == layoutChunked && version == 3:
			rank := c.u8() - 1
			l.address = c.offset()
			l.chunk = chunkShape(c, rank, 4)
			c.skip(4) // size of an element
		case l.kind == layoutChunked:
			return layoutNew(c)
		default:
			return l, unsupported("virtual storage")
		}
	default:
		return l, unsupported("layout version %d", version)
	}
	return l, c.err
}

// layoutOld reads versions 1 and 2.
func layoutOld(c *cursor) layout {
	rank := c.u8()
	l := layout{kind: c.u8()}
	c.skip(5)
	if l.kind != layoutCompact {
		l.address = c.offset()
	}
	if l.kind == layoutChunked {
		l.chunk = chunkShape(c, rank-1, 4)
		c.skip(4)
		return l
	}
	c.skip(4 * rank)
	if l.kind == layoutCompact {
		l.data = c.bytes(c.u32())
	}
	l.size = undefined // it has no size of its own
	return l
}

// layoutNew reads a chunked layout of version 4, of which the index of a single chunk
// is known here.
func layoutNew(c *cursor) (layout, error) {
	l := layout{kind: layoutChunked, address: undefined}
	flags, rank, size := c.u8(), c.u8(), c.u8()
	if size < 1 || size > 8 {
		return l, malformed("chunk sizes of %d bytes", size)
	}
	l.chunk = chunkShape(c, rank-1, size)
	c.skip(size)
	const single = 1
	if kind := c.u8(); c.err == nil && kind != single {
		return l, unsupported("a chunk index that only libver='latest' writes; write the file again with h5repack or h5py's default")
	}
	l.single = &chunk{offset: make([]int, len(l.chunk))}
	if flags&2 != 0 {
		l.single.size, l.single.mask = int(c.length()), uint32(c.u32())
	}
	l.single.address = c.offset()
	return l, c.err
}

func chunkShape(c *cursor, rank, size int) []int {
	if rank < 0 || rank > maxRank {
		c.err = malformed("chunks of %d axes", rank)
		return nil
	}
	shape := make([]int, rank)
	for i := range shape {
		n := c.uint(size)
		if n < 1 || n > maxChunk {
			c.err = malformed("a chunk of %d elements", n)
			return nil
		}
		shape[i] = int(n)
	}
	return shape
}

// parseFill gives the bytes of the value of elements that were never written.
func parseFill(c *cursor) []byte {
	switch c.u8() {
	case 1, 2:
		c.skip(2)
		if c.u8() == 0 {
			return nil
		}
	case 3:
		if c.u8()&0x20 == 0 {
			return nil
		}
	default:
		return nil
	}
	return c.bytes(c.u32())
}

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
