package torch

import (
	"os"
	"strings"
	"sync"
)

// FastBFloat16 reports whether bfloat16 convolutions are faster than float32
// ones on the CPU: the processor has instructions for them (AMX or AVX-512
// BF16) and libtorch the library that uses these (oneDNN, once MKL-DNN). It is
// false where the processor cannot be asked.
func FastBFloat16() bool {
	if !strings.Contains(Describe(), "MKL-DNN v") {
		return false
	}
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		name, flags, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(name) == "flags" {
			flags = " " + strings.TrimSpace(flags) + " "
			return strings.Contains(flags, " amx_bf16 ") || strings.Contains(flags, " avx512_bf16 ")
		}
	}
	return false
}

// CPUFamilies are the names of the families of kernels for CPUs (cpp/README.md):
// Winograd convolutions in float32, cells as one operator, event-driven layers, Intel's
// tiles of bfloat16, gradients of weights, scans of neurons.
func CPUFamilies() []string {
	return []string{"winograd", "cell", "events", "tiles", "gradients", "lif"}
}

// CPUKernels reports whether there are kernels of a family for this CPU: the library
// was built with them, the processor has what they need, and SPIKEDHS_KERNELS (see
// cpp/cpu/isa.h) does not switch them off. Where there are none, libtorch's own
// operators do the work.
func CPUKernels(family string) bool { return cpuKernels()[family] }

var cpuKernels = sync.OnceValue(func() map[string]bool {
	has := map[string]bool{}
	for _, family := range CPUFamilies() {
		s := NewInference()
		if results := s.Call("spikedhs::has_kernels", family); len(results) == 1 {
			has[family], _ = results[0].(bool)
		} // else there is no such operator: a build without cpp/cpu
		_ = s.Close()
	}
	return has
})

// MatrixTiles reports whether the CPU multiplies tiles of bfloat16 (Intel AMX) and the
// system lets this program do so: dense convolutions in bfloat16 are then some six
// times as fast as in float32.
func MatrixTiles() bool { return CPUKernels("tiles") }
