package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spikedhs/spikedhs/data/internal/number"
)

// Sentinel errors, to be tested for with [errors.Is]. Every error of this
// package is one line that says what is wrong, where, and what to do about it.
var (
	// ErrFormat marks bad content: wrong magic number, truncated or trailing
	// bytes, a label out of range, images and labels that differ in number.
	ErrFormat = errors.New("bad data format")
	// ErrNotFound marks a data set, or one of its files, that is not on this machine.
	ErrNotFound = errors.New("data not found")
	// ErrChecksum marks a file whose MD5 sum is not the published one.
	ErrChecksum = errors.New("checksum mismatch")
	// ErrUnknown marks a data set name that is not one of [Names].
	ErrUnknown = errors.New("unknown data set")
	// ErrClosed is what Next of [Batches] returns after Close.
	ErrClosed = errors.New("batches are closed")
)

// malformed describes bad content as an ErrFormat.
func malformed(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrFormat)
}

// contentError marks err as ErrFormat when it stems from the bytes that were
// read (a decompressor gave up, the stream ended early) rather than from the
// file system or a cancelled context.
func contentError(err error) error {
	var file *fs.PathError
	switch {
	case err == nil,
		errors.Is(err, ErrFormat),
		errors.Is(err, context.Canceled),
		errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &file):
		return err
	case number.Truncated(err):
		return malformed("truncated")
	}
	return fmt.Errorf("%w: %w", ErrFormat, err)
}

// expectEOF fails with ErrFormat when r has bytes left. Reading to the end also
// makes a decompressor compare its checksum.
func expectEOF(r io.Reader) error {
	var one [1]byte
	_, err := io.ReadFull(r, one[:])
	switch {
	case err == io.EOF:
		return nil
	case err == nil:
		return malformed("bytes after the declared end")
	}
	return contentError(err)
}

// contextReader makes a long read stop soon after its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
