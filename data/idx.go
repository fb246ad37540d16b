package data

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
)

const (
	idxUint8  = 0x08    // type code of unsigned bytes
	idxLimit  = 1 << 31 // bytes of payload; 45 times the largest MNIST file
	idxAtOnce = 1 << 20 // bytes to allocate before any has been seen
)

// readIDX reads an IDX file of unsigned bytes with the given number of axes:
// two zero bytes, the type code, the number of axes, one big-endian uint32 size
// for each axis, then the values, last axis fastest. It returns the sizes and
// the values. Memory is claimed only as bytes arrive, so a header that promises
// too much costs nothing.
func readIDX(r io.Reader, axes int) (sizes []int, values []byte, err error) {
	var magic [4]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return nil, nil, contentError(err)
	}
	if want := []byte{0, 0, idxUint8, byte(axes)}; !bytes.Equal(magic[:], want) {
		return nil, nil, malformed("starts with % x, an IDX file of this kind with % x", magic, want)
	}
	header := make([]uint32, axes)
	if err := binary.Read(r, binary.BigEndian, header); err != nil {
		return nil, nil, contentError(err)
	}
	total := 1
	for _, size := range header {
		if size == 0 || int64(size) > int64(idxLimit/total) {
			return nil, nil, malformed("declares axes of %d", header)
		}
		total *= int(size)
		sizes = append(sizes, int(size))
	}
	if values, err = readGrowing(r, total); err != nil {
		return nil, nil, err
	}
	if err := expectEOF(r); err != nil {
		return nil, nil, err
	}
	return sizes, values, nil
}

// readGrowing reads exactly n bytes into a buffer that doubles as it fills.
func readGrowing(r io.Reader, n int) ([]byte, error) {
	buf := make([]byte, 0, min(n, idxAtOnce))
	for len(buf) < n {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, min(len(buf), n-len(buf)))
		}
		got, err := io.ReadFull(r, buf[len(buf):min(cap(buf), n)])
		buf = buf[:len(buf)+got]
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil, malformed("truncated: %d of %d declared bytes", len(buf), n)
		}
		if err != nil {
			return nil, contentError(err)
		}
	}
	return buf, nil
}
