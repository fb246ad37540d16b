//go:build !linux

package doctor

import "errors"

// freeDisk is known on Linux only.
func freeDisk(string) (uint64, error) { return 0, errors.ErrUnsupported }
