package torch

// #include <stdlib.h>
// #include "spikedhs/spikedhs.h"
import "C"

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// CUDAKernelsMissing says why our own kernels do not run on d, "" when they do. They
// are compiled there by NVRTC, which the first call tries with a small one (about a
// second, kept in the user's cache folder). Where they do not run, composed operators
// take over, and libtorch's warning says why.
func CUDAKernelsMissing(d Device) string {
	index, ok := cudaIndex(d)
	if !ok {
		return "not a CUDA device"
	}
	var reason *C.char
	if err := message(C.sd_kernels_missing(index, &reason)); err != nil {
		return err.Error()
	}
	return ownText(reason)
}

// KernelCache is the folder in which compiled kernels are kept from one program to
// the next, "" where neither $SPIKEDHS_CACHE nor a home folder is set.
func KernelCache() string {
	return ownText(C.sd_kernels_folder())
}

// KernelMatrix says for what our kernels are compiled by [CompileKernels].
type KernelMatrix struct {
	// NVRTC is the compiler's file, "" for the one in use.
	NVRTC string
	// Capability is a GPU's compute capability, such as 90.
	Capability int
	// Steps are the numbers T of time steps; all above 8 are one version.
	Steps []int
	// Families are numbers of surrogate families, 0 to 6.
	Families []int
	// Elements are types of tensors: [Float32], [Float64], [BFloat16], [Float16].
	Elements []int8
}

// CompiledKernel is one kernel as the GPU will have it.
type CompiledKernel struct {
	// Program is the file of the kernel, Name its C++ name.
	Program, Name string
	// Registers are those of a thread; Spilled is what did not fit into them, in
	// bytes written and read.
	Registers, Spilled int
}

// CompiledProgram is what one call of the compiler made.
type CompiledProgram struct {
	Program string
	Kernels []CompiledKernel
	Time    time.Duration
}

// CompileKernels compiles our CUDA kernels in every version of the matrix. It
// needs NVRTC and no GPU; nothing is kept.
func CompileKernels(m KernelMatrix) ([]CompiledProgram, error) {
	var file *C.char
	if m.NVRTC != "" {
		file = C.CString(m.NVRTC)
		defer C.free(unsafe.Pointer(file))
	}
	steps, families := cInts(m.Steps), cInts(m.Families)
	elements := make([]C.int, len(m.Elements))
	for i, e := range m.Elements {
		number, ok := map[int8]C.int{Float32: 0, Float64: 1, BFloat16: 2, Float16: 3}[e]
		if !ok {
			return nil, fmt.Errorf("torch: kernels: no element type %d", e)
		}
		elements[i] = number
	}
	if len(steps) == 0 || len(families) == 0 || len(elements) == 0 {
		return nil, fmt.Errorf("torch: kernels: want at least one T, family and element type")
	}
	var table *C.char
	err := failure("kernels", C.sd_kernels_compile(file, C.int(m.Capability), &steps[0], C.int(len(steps)),
		&families[0], C.int(len(families)), &elements[0], C.int(len(elements)), &table))
	if err != nil {
		return nil, err
	}
	return readPrograms(ownText(table)), nil
}

func cInts(list []int) []C.int {
	out := make([]C.int, len(list))
	for i, n := range list {
		out[i] = C.int(n)
	}
	return out
}

// readPrograms reads the table of sd_kernels_compile.
func readPrograms(table string) []CompiledProgram {
	var programs []CompiledProgram
	var kernels []CompiledKernel
	for line := range strings.Lines(table) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		first, _ := strconv.Atoi(fields[2])
		second, _ := strconv.Atoi(fields[3])
		if fields[1] != "" {
			kernels = append(kernels, CompiledKernel{fields[0], fields[1], first, second})
			continue
		}
		programs = append(programs, CompiledProgram{fields[0], kernels, time.Duration(first) * time.Millisecond})
		kernels = nil
	}
	return programs
}

// cachedKernel is one kernel by way of the cache folder: the size of its image and
// its name there.
func cachedKernel(capability int) (int, string, error) {
	var size C.int64_t
	var name *C.char
	if err := failure("kernels", C.sd_kernels_cached(C.int(capability), &size, &name)); err != nil {
		return 0, "", err
	}
	return int(size), ownText(name), nil
}
