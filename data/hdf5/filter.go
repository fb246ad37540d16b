package hdf5

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
)

// Numbers of filters.
const (
	filterDeflate  = 1
	filterShuffle  = 2
	filterFletcher = 3
	filterLZF      = 32000
)

// filter is a step between elements and the bytes in the file.
type filter struct {
	id     int
	values []int // parameters
}

func parseFilters(c *cursor) ([]filter, error) {
	version, n := c.u8(), c.u8()
	switch version {
	case 1:
		c.skip(6)
	case 2:
	default:
		return nil, unsupported("filters version %d", version)
	}
	var list []filter
	for range n {
		id, nameLen := c.u16(), 0
		if version == 1 || id >= 256 {
			nameLen = c.u16()
		}
		c.skip(2) // flags
		values := c.u16()
		if version == 1 {
			nameLen = (nameLen + 7) / 8 * 8
		}
		c.skip(nameLen)
		ft := filter{id: id}
		for range values {
			if c.err != nil {
				return nil, c.err
			}
			ft.values = append(ft.values, c.u32())
		}
		if version == 1 && values%2 == 1 {
			c.skip(4)
		}
		if c.err != nil {
			return nil, c.err
		}
		switch id {
		case filterDeflate, filterShuffle, filterFletcher, filterLZF:
		default:
			return nil, unsupported("filter number %d; write the file again with gzip, lzf or no compression", id)
		}
		list = append(list, ft)
	}
	return list, nil
}

// undo turns the bytes of a chunk in the file into its elements: filters run backwards,
// without those that mask leaves out. size is the number of bytes of the elements.
func undo(filters []filter, mask uint32, b []byte, size int) ([]byte, error) {
	limit := size + 4*len(filters) // checksums lie within
	for i := len(filters) - 1; i >= 0; i-- {
		if mask>>i&1 != 0 {
			continue
		}
		var err error
		switch filters[i].id {
		case filterDeflate:
			b, err = inflate(b, limit)
		case filterShuffle:
			element := 0
			if len(filters[i].values) > 0 {
				element = filters[i].values[0]
			}
			b = unshuffle(b, element)
		case filterFletcher:
			b, err = fletcher(b)
		case filterLZF:
			b, err = unlzf(b, limit)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(b) != size {
		return nil, malformed("a chunk has %d bytes instead of %d", len(b), size)
	}
	return b, nil
}

func inflate(b []byte, limit int) ([]byte, error) {
	var out []byte
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err == nil {
		out, err = io.ReadAll(io.LimitReader(z, int64(limit)+1))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: deflate: %w", ErrFormat, err)
	}
	return out, nil
}

// unshuffle undoes the order first bytes of all elements, second bytes of all...
func unshuffle(b []byte, element int) []byte {
	if element < 2 || len(b) < element {
		return b
	}
	n := len(b) / element
	out := make([]byte, len(b))
	for k := range element {
		for i, v := range b[k*n:][:n] {
			out[i*element+k] = v
		}
	}
	copy(out[n*element:], b[n*element:]) // what is left over stays
	return out
}

// fletcher checks and cuts off a checksum: Fletcher's of 16-bit big-endian words.
func fletcher(b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, malformed("a chunk without its checksum")
	}
	data, want := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	var one, two uint64
	fold := func(v uint64) uint64 {
		for v > 0xffff {
			v = v&0xffff + v>>16
		}
		return v
	}
	for i := 0; i < len(data); i += 2 {
		word := uint64(data[i]) << 8
		if i+1 < len(data) {
			word |= uint64(data[i+1])
		}
		one += word
		two += one
		if i%512 == 0 {
			one, two = fold(one), fold(two)
		}
	}
	if got := uint32(fold(two)<<16 | fold(one)); got != want {
		return nil, malformed("the checksum of a chunk is wrong; copy the file again")
	}
	return data, nil
}

// unlzf undoes LZF (Lehmann 2000): a control byte below 32 is followed by that many
// bytes and one as they are; any other has in its upper three bits, with 7 a further
// byte added, two less than a number of bytes to copy from before, and in the lower
// five with the next byte how far back, less one.
func unlzf(b []byte, limit int) ([]byte, error) {
	damaged := malformed("LZF: the chunk is damaged; copy the file again")
	out := make([]byte, 0, min(limit, 16*len(b)+64))
	for len(b) > 0 {
		control, n := int(b[0]), int(b[0])>>5
		switch b = b[1:]; {
		case control < 32:
			if n = control + 1; n > len(b) || len(out)+n > limit {
				return nil, damaged
			}
			out, b = append(out, b[:n]...), b[n:]
			continue
		case n == 7 && len(b) > 0:
			n, b = n+int(b[0]), b[1:]
		}
		if len(b) == 0 {
			return nil, damaged
		}
		n += 2
		from := len(out) - (control&31)<<8 - int(b[0]) - 1
		b = b[1:]
		if from < 0 || len(out)+n > limit {
			return nil, damaged
		}
		for k := range n { // byte by byte: the copy may reach into itself
			out = append(out, out[from+k])
		}
	}
	return out, nil
}
