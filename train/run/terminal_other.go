//go:build !linux

package run

import (
	"io"
	"os"
)

// terminalWidth returns the usual columns if w is a terminal that can draw over a
// line, 0 if it is not. The true width is not known here without cgo.
func terminalWidth(w io.Writer) int {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return 0
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return 0
	}
	return defaultColumns
}
