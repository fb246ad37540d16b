package torch

// #include "spikedhs/spikedhs.h"
import "C"

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// OperatorTime is what one operator took during a profile.
type OperatorTime struct {
	// Name is libtorch's, such as "aten::convolution_backward".
	Name string
	// Calls is the number of calls.
	Calls int64
	// Self is the time without the operators that it called. On CUDA it is the
	// time to launch, unless the device is waited for.
	Self time.Duration
	// Device is that of its work on the device of [StartDeviceProfile], from when the
	// device comes to it until it is done. Where the device waits for the processor,
	// that is counted in.
	Device time.Duration
}

// StartProfile begins to collect the time of every operator, in forward and
// backward passes of all goroutines, until [StopProfile]. With shapes, the types
// and shapes of the arguments are part of an operator's name.
func StartProfile(shapes bool) error { return StartDeviceProfile(CPU(), shapes) }

// StartDeviceProfile is [StartProfile] with the time of every operator on a CUDA
// device. Nothing may be recorded as a graph meanwhile, and [Synchronize] must come
// before [StopProfile]. On the CPU it is StartProfile.
func StartDeviceProfile(d Device, shapes bool) error {
	index, ok := cudaIndex(d)
	if !ok {
		index = -1
	}
	return failure("profile", C.sd_profile_start(flag(shapes), index))
}

// StopProfile ends a profile and returns its operators, the slowest first: by their
// time on the device where that was taken.
func StopProfile() ([]OperatorTime, error) {
	var table *C.char
	if err := failure("profile", C.sd_profile_stop(&table)); err != nil {
		return nil, err
	}
	var list []OperatorTime
	for line := range strings.Lines(ownText(table)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 4 {
			continue
		}
		calls, _ := strconv.ParseInt(fields[1], 10, 64)
		self, _ := strconv.ParseInt(fields[2], 10, 64)
		onDevice, _ := strconv.ParseInt(fields[3], 10, 64)
		list = append(list, OperatorTime{fields[0], calls, time.Duration(self), time.Duration(onDevice)})
	}
	slices.SortFunc(list, func(a, b OperatorTime) int {
		return cmp.Or(cmp.Compare(b.Device, a.Device), cmp.Compare(b.Self, a.Self))
	})
	return list, nil
}
