package torch

import (
	"os"
	"strings"
)

// FastBFloat16 reports whether the processor has instructions that make
// bfloat16 convolutions faster than float32 ones (AMX or AVX-512 BF16). It is
// false where the processor cannot be asked.
func FastBFloat16() bool {
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
