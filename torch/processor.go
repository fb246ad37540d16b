package torch

import (
	"os"
	"strings"
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

// MatrixTiles reports whether the CPU multiplies tiles of bfloat16 (Intel AMX), the
// system lets this program do so, and SPIKEDHS_KERNELS does not forbid it: dense
// convolutions in bfloat16 are then some six times as fast as in float32.
func MatrixTiles() bool {
	s := NewInference()
	defer s.Close()
	results := s.Call("spikedhs::has_tiles")
	if len(results) != 1 {
		return false
	}
	has, _ := results[0].(bool)
	return has
}
