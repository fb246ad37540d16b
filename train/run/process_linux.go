package run

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// Apart keeps the signals of the terminal from a command: this program ends it.
func Apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// residentMegabytes returns the memory of this process that is in RAM.
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
