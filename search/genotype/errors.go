package genotype

import (
	"errors"
	"fmt"
)

// ErrInvalid is wrapped by every error about the content of a genotype, whether
// it comes from a file or from a value built in memory.
var ErrInvalid = errors.New("invalid genotype")

// ErrAlpha is wrapped by every error about architecture weights that cannot be
// decoded or measured.
var ErrAlpha = errors.New("invalid alpha")

// invalid reports a fault at a place such as normal.edges[2].edge.
func invalid(where, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrInvalid, where, fmt.Sprintf(format, args...))
}
