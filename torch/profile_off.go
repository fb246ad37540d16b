//go:build !tensorprofile

package torch

import "unsafe"

// Without the build tag tensorprofile nothing is recorded.
func trackTensor(*unsafe.Pointer)   {}
func untrackTensor(*unsafe.Pointer) {}
