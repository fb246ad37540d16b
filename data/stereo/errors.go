package stereo

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/npy"
)

// malformed describes bad content as a [data.ErrFormat].
func malformed(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), data.ErrFormat)
}

// missing describes an absent file or folder as a [data.ErrNotFound].
func missing(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), data.ErrNotFound)
}

// classify marks an error of a file as one of the data, so that a caller can tell it
// from a full disk.
func classify(err error) error {
	switch {
	case errors.Is(err, npy.ErrFormat):
		return fmt.Errorf("%w: %w", err, data.ErrFormat)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", err, data.ErrNotFound)
	}
	return err
}
