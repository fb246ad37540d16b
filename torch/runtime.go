package torch

// #include "spikedhs/spikedhs.h"
import "C"

import (
	"os"
	"runtime"
	"strconv"

	"github.com/spikedhs/spikedhs/torch/wheel"
)

// gotorch's init takes half of the cores and locks the main goroutine to its
// OS thread for good. Give both back: all cores unless OMP_NUM_THREADS says
// otherwise, and a lock only around the loops that need one (see [Pin]).
func init() {
	runtime.UnlockOSThread()
	n := runtime.NumCPU()
	if v, err := strconv.Atoi(os.Getenv("OMP_NUM_THREADS")); err == nil && v > 0 {
		n = v
	}
	// A wrong number is the only error, and n is positive.
	_ = SetThreads(n)
}

// Version is the version of the libtorch in use, such as "1.13.1".
func Version() string { return C.GoString(C.sd_torch_version()) }

// BuildVersion is the version of the libtorch that the shims were built against. Those
// of a wheel run with any release of its minor version.
func BuildVersion() string { return C.GoString(C.sd_build_version()) }

// Location tells how the libtorch in use was found: by the Python whose PyTorch it is,
// by "LIBTORCH" or "system"; and the file of its main library.
func Location() (foundBy, library string) {
	switch {
	case wheel.Installed() && os.Getenv("LIBTORCH") != "": // the launcher takes it first
		foundBy = "LIBTORCH"
	case wheel.Python() != "":
		foundBy = wheel.Python()
	default:
		foundBy = C.GoString(C.sd_build_found_by())
	}
	return foundBy, C.GoString(C.sd_torch_library())
}

// Describe is libtorch's own description of its build and of its threads.
func Describe() string {
	return ownText(C.sd_describe())
}

// SetThreads sets how many threads one operator uses, from whichever goroutine
// it is called.
func SetThreads(n int) error {
	return failure("set threads", C.sd_set_threads(C.int(n)))
}

// Threads is the number of threads that an operator uses.
func Threads() int { return int(C.sd_threads()) }

// Pin keeps the calling goroutine on its OS thread until the returned function
// is called. OpenMP keeps one pool of worker threads for each OS thread that
// calls it, and the workers of several pools fight for the same cores. Pools that
// only exist cost, too: with more workers than processors, however idle, libgomp's
// threads sleep at every barrier instead of waiting actively. So all work of a
// training, from the first tensor on, stays on one thread.
//
// It also fixes the last bits of gradients: libtorch's backward pass goes through the
// graph by numbers that each OS thread counts for itself, so where a forward pass
// moved from one thread to another, gradients that meet may be added in another order.
//
//	defer torch.Pin()()
func Pin() (unpin func()) {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}

// Seed starts the random numbers of every device from seed.
func Seed(seed uint64) error {
	return failure("seed", C.sd_seed(C.uint64_t(seed)))
}

// GeneratorState is the state of a device's random numbers, for a checkpoint.
func (s *Scope) GeneratorState(d Device) Tensor {
	kind, index := deviceNumbers(d)
	return s.made("generator state", func(out *C.sd_tensor) *C.char {
		return C.sd_generator_state(C.int(kind), C.int(index), out)
	})
}

// SetGeneratorState restores what [Scope.GeneratorState] returned.
func SetGeneratorState(d Device, state Tensor) error {
	defer runtime.KeepAlive(state)
	kind, index := deviceNumbers(d)
	return failure("set generator state", C.sd_set_generator_state(C.int(kind), C.int(index), cTensor(state)))
}
