package npy

import (
	"errors"
	"fmt"
)

// ErrFormat marks content that is not a readable .npy file of numbers.
var ErrFormat = errors.New("bad NumPy file")

// ErrRecords marks an array of records, which [ReadRecords] alone reads.
var ErrRecords = fmt.Errorf("%w: structured types are not read here; save plain numbers", ErrFormat)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}
