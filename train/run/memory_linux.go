package run

import (
	"bytes"
	"os"
	"strconv"
)

// residentMegabytes returns the memory of this process that is in RAM.
func residentMegabytes() (megabytes float64, ok bool) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	columns := bytes.Fields(text) // in pages: size, resident, ...
	if len(columns) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(string(columns[1]), 10, 64)
	return float64(pages) * float64(os.Getpagesize()) / (1 << 20), err == nil
}
