package torch

// #include "spikedhs/spikedhs.h"
import "C"

import "fmt"

// Memory tells how much of a device's memory is in use, in bytes. Of the CPU
// all is zero, and so it is in a build without the CUDA headers.
type Memory struct {
	// Allocated is what tensors hold now, Peak the most that they held since
	// [ResetPeakMemory] or the start of the program.
	Allocated, Peak int64
	// Free is what no program uses, Total what the device has.
	Free, Total int64
}

// DeviceMemory asks for the memory of a device. It waits for no work.
func DeviceMemory(d Device) (Memory, error) {
	kind, index := deviceNumbers(d)
	if kind != kindCUDA {
		return Memory{}, nil
	}
	var allocated, peak, free, total C.int64_t
	if err := message(C.sd_cuda_memory(C.int(max(index, 0)), &allocated, &peak, &free, &total)); err != nil {
		return Memory{}, fmt.Errorf("torch: memory of %s: %w", DeviceName(d), err)
	}
	return Memory{Allocated: int64(allocated), Peak: int64(peak), Free: int64(free), Total: int64(total)}, nil
}

// ResetPeakMemory makes the present use the new peak of [DeviceMemory].
func ResetPeakMemory(d Device) error {
	kind, index := deviceNumbers(d)
	if kind != kindCUDA {
		return nil
	}
	if err := message(C.sd_cuda_reset_peak(C.int(max(index, 0)))); err != nil {
		return fmt.Errorf("torch: peak memory of %s: %w", DeviceName(d), err)
	}
	return nil
}

// Capability is the compute capability of a CUDA device, such as 9, 0 of an
// H100. It is 0, 0 for the CPU and where it cannot be asked.
func Capability(d Device) (major, minor int) {
	kind, index := deviceNumbers(d)
	if kind != kindCUDA {
		return 0, 0
	}
	var a, b C.int
	C.sd_cuda_capability(C.int(max(index, 0)), &a, &b)
	return int(a), int(b)
}
