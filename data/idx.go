package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/spikedhs/spikedhs/data/internal/number"
)

const (
	idxUint8 = 0x08    // type code of unsigned bytes
	idxLimit = 1 << 31 // bytes of payload; 45 times the largest MNIST file
)

// readIDX reads an IDX file of unsigned bytes with the given number of axes:
// two zero bytes, the type code, the number of axes, one big-endian uint32 size
// for each axis, then the values, last axis fastest. It returns the sizes and
// the values.
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
	values, err = number.ReadBytes(r, total)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil, malformed("truncated: %d of %d declared bytes", len(values), total)
	}
	if err != nil {
		return nil, nil, contentError(err)
	}
	if err := expectEOF(r); err != nil {
		return nil, nil, err
	}
	return sizes, values, nil
}
