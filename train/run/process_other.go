//go:build !linux

package run

import (
	"os"
	"os/exec"
)

// Apart has nothing to do where process groups are not as on Linux.
func Apart(*exec.Cmd) {}

// residentMegabytes is not known here without cgo.
func residentMegabytes() (megabytes float64, ok bool) { return 0, false }

// PeakMegabytes is not known here without cgo.
func PeakMegabytes() float64 { return 0 }

// columnsOfFile returns the usual columns of a terminal, 0 if the file is none. The true
// width is not known here without cgo.
func columnsOfFile(file *os.File) int {
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return 0
	}
	return defaultColumns
}
