package torch

// The flags that depend on the machine (where the shims and libtorch lie) come
// from build/env, which `make build` writes.

// #cgo CFLAGS: -I${SRCDIR}/../cpp/include
// #cgo LDFLAGS: -L${SRCDIR}/../build/lib -lspikedhs
// #include <stdlib.h>
// #include "spikedhs/spikedhs.h"
import "C"

import (
	"errors"
	"strings"
	"unsafe"
)

// message turns the result of a C function into an error: nil when it
// succeeded, else libtorch's sentence on one line.
func message(text *C.char) error {
	if text == nil {
		return nil
	}
	defer C.sd_release(unsafe.Pointer(text))
	line := oneLine(C.GoString(text))
	if line == ErrClosed.Error() { // what the shim says of an empty handle
		return ErrClosed
	}
	return errors.New(line)
}

// oneLine keeps what a reader needs of a libtorch message: no backtrace, no
// line breaks, and not more than a few sentences.
func oneLine(text string) string {
	if i := strings.Index(text, "\nException raised from"); i >= 0 {
		text = text[:i]
	}
	text = strings.Join(strings.Fields(text), " ")
	const limit = 400
	if len(text) > limit {
		text = text[:limit] + "..."
	}
	return text
}

// cString calls f with a C copy of s that lives until f returns.
func cString(s string, f func(*C.char)) {
	c := C.CString(s)
	defer C.free(unsafe.Pointer(c))
	f(c)
}

// words passes a slice of words to C; an empty slice becomes NULL.
func words(w []uint64) *C.uint64_t {
	if len(w) == 0 {
		return nil
	}
	return (*C.uint64_t)(unsafe.Pointer(&w[0]))
}
