package run

import (
	"os"
	"os/exec"
	"syscall"
	"unsafe"
)

// Apart keeps the signals of the terminal from a command: this program ends it.
func Apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// ProcessorTime is the time that all threads of this process have computed, in seconds.
func ProcessorTime() (float64, bool) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0, false
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9, true
}

// columnsOfFile returns the columns of the terminal that a file is, 0 if it is none.
func columnsOfFile(file *os.File) int {
	var size struct{ rows, columns, x, y uint16 }
	_, _, failed := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	switch {
	case failed != 0:
		return 0
	case size.columns == 0: // a terminal that does not know its size, as on a serial line
		return defaultColumns
	}
	return int(size.columns)
}
