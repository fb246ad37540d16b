package hdf5

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// File is an open HDF5 file. It may be used from several goroutines.
type File struct {
	r          io.ReaderAt
	size       int64
	base       uint64 // what addresses count from
	offsetSize int
	lengthSize int
	root       uint64 // address of the object header of the root group
	close      func() error
}

const signature = "\x89HDF\r\n\x1a\n"

// Open opens the file at path. It fails with [ErrFormat] on other files.
func Open(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	f, err := NewFile(file, info.Size())
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.close = file.Close
	return f, nil
}

// NewFile reads a file of size bytes from r.
func NewFile(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, size: size, close: func() error { return nil }}
	// A file may begin with something else, of 512 bytes or twice, four times... as much.
	for at := int64(0); at+int64(len(signature)) <= size; at = max(512, 2*at) {
		head := make([]byte, len(signature))
		if _, err := r.ReadAt(head, at); err != nil && err != io.EOF {
			return nil, err
		}
		if string(head) == signature {
			return f, f.superblock(at)
		}
	}
	return nil, malformed("it has no HDF5 signature")
}

// Close closes the file.
func (f *File) Close() error { return f.close() }

// superblock reads the block that the file begins with.
func (f *File) superblock(at int64) error {
	b := make([]byte, min(128, f.size-at))
	if _, err := f.r.ReadAt(b, at); err != nil && err != io.EOF {
		return err
	}
	c := &cursor{b: b, f: f}
	c.skip(len(signature))
	version := c.u8()
	switch version {
	case 0, 1:
		c.skip(4)
		f.offsetSize, f.lengthSize = c.u8(), c.u8()
		c.skip(1 + 2 + 2 + 4)
		if version == 1 {
			c.skip(4)
		}
	case 2, 3:
		f.offsetSize, f.lengthSize = c.u8(), c.u8()
		c.skip(1)
	default:
		return unsupported("superblock version %d", version)
	}
	for _, size := range []int{f.offsetSize, f.lengthSize} {
		if size != 2 && size != 4 && size != 8 {
			return malformed("addresses of %d bytes", size)
		}
	}
	f.base = c.offset()
	if version < 2 {
		c.skip(3 * f.offsetSize) // free space, end of file, driver
		c.skip(f.offsetSize)     // name of the root group
	} else {
		c.skip(2 * f.offsetSize) // extension, end of file
	}
	f.root = c.offset()
	if f.base == undefined || int64(f.base) < 0 {
		return malformed("no base address")
	}
	return c.err
}

// block reads size bytes at an address.
func (f *File) block(address uint64, size int) (*cursor, error) {
	if address == undefined || size < 0 || address > uint64(f.size) || f.base > uint64(f.size) ||
		address+f.base+uint64(size) > uint64(f.size) {
		return nil, malformed("a part of %d bytes lies behind the end of the file; copy the file again", size)
	}
	b := make([]byte, size)
	if n, err := f.r.ReadAt(b, int64(address+f.base)); n < size {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return &cursor{b: b, f: f}, nil
}

// upTo reads size bytes at an address, or fewer where the file ends.
func (f *File) upTo(address uint64, size int) (*cursor, error) {
	if address <= uint64(f.size) && f.base <= uint64(f.size)-address {
		size = int(min(int64(size), f.size-int64(address+f.base)))
	}
	return f.block(address, size)
}

// find follows a path of groups from the root to an object header.
func (f *File) find(path string) (uint64, error) {
	at, done := f.root, ""
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if name == "" {
			continue
		}
		links, err := f.links(at)
		if err != nil {
			return 0, fmt.Errorf("group /%s: %w", done, err)
		}
		next, ok := links[name]
		if !ok {
			return 0, fmt.Errorf("group /%s has no %q: %w", done, name, ErrNotFound)
		}
		if next == undefined {
			return 0, fmt.Errorf("/%s: %w", strings.Trim(done+"/"+name, "/"), unsupported("a soft or external link"))
		}
		at, done = next, strings.Trim(done+"/"+name, "/")
	}
	return at, nil
}

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
