package run

import (
	"io"
	"os"
	"syscall"
	"unsafe"
)

// terminalWidth returns the columns of the terminal that w is, 0 if it is none or
// one that cannot draw over a line.
func terminalWidth(w io.Writer) int {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return 0
	}
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
