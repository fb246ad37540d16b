// Package number converts the plain numbers of files.
package number

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
)

// Number are the types that numbers of files convert to.
type Number interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// Type is the type of a number in a file: byte order, kind (i, u or f) and size in
// bytes, 1, 2, 4 or 8, of floats 4 or 8.
type Type struct {
	Order binary.ByteOrder
	Kind  byte
	Size  int
}

// Decode converts the number that b begins with as Go converts numbers: floats to
// integers by truncation, wide integers to narrow ones by dropping bits.
func Decode[T Number](t Type, b []byte) T {
	var bits uint64
	switch t.Size {
	case 1:
		bits = uint64(b[0])
	case 2:
		bits = uint64(t.Order.Uint16(b))
	case 4:
		bits = uint64(t.Order.Uint32(b))
	default:
		bits = t.Order.Uint64(b)
	}
	switch {
	case t.Kind == 'f' && t.Size == 4:
		return T(math.Float32frombits(uint32(bits)))
	case t.Kind == 'f':
		return T(math.Float64frombits(bits))
	case t.Kind == 'i':
		unused := 64 - 8*t.Size
		return T(int64(bits<<unused) >> unused)
	}
	return T(bits)
}

// ReadBytes reads n bytes into memory that is claimed as they arrive, so that a header
// that promises too much costs nothing. At an error, which is [Truncated] where there are
// fewer, it returns those it has got.
func ReadBytes(r io.Reader, n int) ([]byte, error) {
	const first = 32 << 10
	b := make([]byte, 0, min(n, first))
	for len(b) < n {
		if len(b) == cap(b) {
			b = slices.Grow(b, min(len(b), n-len(b)))
		}
		got, err := io.ReadFull(r, b[len(b):min(cap(b), n)])
		if b = b[:len(b)+got]; err != nil {
			return b, err
		}
	}
	return b, nil
}

// Truncated tells whether an error is that of a reader with fewer bytes than were asked for.
func Truncated(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
