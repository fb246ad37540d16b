package torch

// #include "spikedhs/spikedhs.h"
import "C"

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"
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
}

// StartProfile begins to collect the time of every operator, in forward and
// backward passes of all goroutines, until [StopProfile]. With shapes, the types
// and shapes of the arguments are part of an operator's name.
func StartProfile(shapes bool) error {
	flag := C.int(0)
	if shapes {
		flag = 1
	}
	if err := message(C.sd_profile_start(flag)); err != nil {
		return fmt.Errorf("torch: profile: %w", err)
	}
	return nil
}

// StopProfile ends a profile and returns its operators, the slowest first.
func StopProfile() ([]OperatorTime, error) {
	var table *C.char
	if err := message(C.sd_profile_stop(&table)); err != nil {
		return nil, fmt.Errorf("torch: profile: %w", err)
	}
	defer C.sd_release(unsafe.Pointer(table))
	var list []OperatorTime
	for line := range strings.Lines(C.GoString(table)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 3 {
			continue
		}
		calls, _ := strconv.ParseInt(fields[1], 10, 64)
		self, _ := strconv.ParseInt(fields[2], 10, 64)
		list = append(list, OperatorTime{Name: fields[0], Calls: calls, Self: time.Duration(self)})
	}
	slices.SortFunc(list, func(a, b OperatorTime) int { return cmp.Compare(b.Self, a.Self) })
	return list, nil
}
