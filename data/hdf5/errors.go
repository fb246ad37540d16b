package hdf5

import (
	"errors"
	"fmt"
)

var (
	// ErrFormat marks a file that is damaged or no HDF5 file.
	ErrFormat = errors.New("bad HDF5 file")
	// ErrNotFound marks a group or data set that the file does not have.
	ErrNotFound = errors.New("not in the HDF5 file")
	// ErrUnsupported marks a valid part of a file that this package does not read.
	ErrUnsupported = errors.New("kind of HDF5 that is not read")
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnsupported, fmt.Sprintf(format, args...))
}
