package npy

import (
	"errors"
	"fmt"
)

// ErrFormat marks content that is not a readable .npy file of numbers.
var ErrFormat = errors.New("bad NumPy file")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}
