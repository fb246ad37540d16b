package torch

// #include "spikedhs/spikedhs.h"
import "C"

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
	var allocated, peak, free, total C.int64_t
	err := onCUDA(d, "memory of", func(index C.int) *C.char {
		return C.sd_cuda_memory(index, &allocated, &peak, &free, &total)
	})
	if err != nil {
		return Memory{}, err
	}
	return Memory{Allocated: int64(allocated), Peak: int64(peak), Free: int64(free), Total: int64(total)}, nil
}

// ResetPeakMemory makes the present use the new peak of [DeviceMemory].
func ResetPeakMemory(d Device) error {
	return onCUDA(d, "peak memory of", func(index C.int) *C.char { return C.sd_cuda_reset_peak(index) })
}

// Capability is the compute capability of a CUDA device, such as 9, 0 of an
// H100. It is 0, 0 for the CPU and where it cannot be asked.
func Capability(d Device) (major, minor int) {
	index, ok := cudaIndex(d)
	if !ok {
		return 0, 0
	}
	var a, b C.int
	C.sd_cuda_capability(index, &a, &b)
	return int(a), int(b)
}
