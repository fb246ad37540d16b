package bench

import (
	"os"
	"strings"

	"github.com/spikedhs/spikedhs/torch"
)

const withoutPrefix = "without-"

// Without is this program with one family of its CPU kernels switched off (see
// [torch.CPUFamilies]): libtorch's own operators do their work.
func Without(family string) string { return withoutPrefix + family }

// Withouts are the sides that leave out the families which this CPU has kernels of.
func Withouts(families []string) (sides []string) {
	for _, family := range families {
		if torch.CPUKernels(family) {
			sides = append(sides, Without(family))
		}
	}
	return sides
}

// switchedOff is what the environment of a side's process has besides.
func switchedOff(impl string) []string {
	family, ok := strings.CutPrefix(impl, withoutPrefix)
	if !ok {
		return nil
	}
	return []string{"SPIKEDHS_KERNELS=" + strings.Trim(os.Getenv("SPIKEDHS_KERNELS")+",-"+family, ",")}
}
