//go:build tensorprofile

package torch

import (
	"runtime/pprof"
	"unsafe"
)

// LiveTensorProfile holds the stack of every tensor that is alive, under the
// name "github.com/spikedhs/spikedhs/torch.LiveTensors" of runtime/pprof. Build
// with -tags tensorprofile and write it with
//
//	torch.LiveTensorProfile.WriteTo(os.Stderr, 1)
//
// to see where a leak was allocated.
var LiveTensorProfile = pprof.NewProfile("github.com/spikedhs/spikedhs/torch.LiveTensors")

// The profile is keyed by the address as a number, so that it keeps no tensor
// alive.
func trackTensor(p *unsafe.Pointer)   { LiveTensorProfile.Add(uintptr(unsafe.Pointer(p)), 2) }
func untrackTensor(p *unsafe.Pointer) { LiveTensorProfile.Remove(uintptr(unsafe.Pointer(p))) }
