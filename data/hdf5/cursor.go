package hdf5

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// undefined is the address of what does not exist, for the largest size of addresses.
const undefined = ^uint64(0)

// cursor takes fields from a block of the file. The first fault stays in err, and
// everything after it reads as 0.
type cursor struct {
	b   []byte
	f   *File
	err error
}

func (c *cursor) bytes(n int) []byte {
	if c.err == nil && (n < 0 || n > len(c.b)) {
		c.err = malformed("a record ends early")
	}
	if c.err != nil {
		c.b = nil
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) skip(n int) { c.bytes(n) }

// uint reads a little-endian number of size bytes.
func (c *cursor) uint(size int) uint64 {
	var b [8]byte
	copy(b[:], c.bytes(size))
	return binary.LittleEndian.Uint64(b[:])
}

func (c *cursor) u8() int  { return int(c.uint(1)) }
func (c *cursor) u16() int { return int(c.uint(2)) }
func (c *cursor) u32() int { return int(c.uint(4)) }

// offset reads an address; all bits set is undefined.
func (c *cursor) offset() uint64 {
	v := c.uint(c.f.offsetSize)
	if c.f.offsetSize < 8 && v == 1<<(8*c.f.offsetSize)-1 {
		return undefined
	}
	return v
}

func (c *cursor) length() uint64 { return c.uint(c.f.lengthSize) }

// signature checks the four letters that a block begins with.
func (c *cursor) signature(want string) {
	if got := string(c.bytes(len(want))); c.err == nil && got != want {
		c.err = malformed("%q where %q should be", got, want)
	}
}

// Errors are of a file that is damaged or no HDF5 file (ErrFormat), of a group or data set
// that it does not have, and of a valid part that this package does not read.
var (
	ErrFormat      = errors.New("bad HDF5 file")
	ErrNotFound    = errors.New("not in the HDF5 file")
	ErrUnsupported = errors.New("kind of HDF5 that is not read")
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnsupported, fmt.Sprintf(format, args...))
}
