package run

import (
	"os"
	"strconv"
	"strings"
)

// residentMegabytes returns the memory of this process that is in RAM, where Linux tells.
func residentMegabytes() (megabytes float64, ok bool) { return statusMegabytes("VmRSS:") }

// PeakMegabytes is the most memory of this process that was ever in RAM, 0 where that is
// not known. getrusage would count the program that started this one.
func PeakMegabytes() float64 {
	megabytes, _ := statusMegabytes("VmHWM:")
	return megabytes
}

func statusMegabytes(key string) (megabytes float64, ok bool) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, key); found {
			kilobytes, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kilobytes / 1024, err == nil
		}
	}
	return 0, false
}
