//go:build !linux

package run

import (
	"os"
	"os/exec"
)

// Apart has nothing to do where process groups are not as on Linux.
func Apart(*exec.Cmd) {}

// ProcessorTime is not known here.
func ProcessorTime() (float64, bool) { return 0, false }

// columnsOfFile returns the usual columns of a terminal, 0 if the file is none. The true
// width is not known here without cgo.
func columnsOfFile(file *os.File) int {
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return 0
	}
	return defaultColumns
}
