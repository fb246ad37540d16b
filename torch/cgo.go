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
	"fmt"
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

// failure is the error of a C function that was to do something, nil when it did.
func failure(what string, text *C.char) error {
	if err := message(text); err != nil {
		return fmt.Errorf("torch: %s: %w", what, err)
	}
	return nil
}

// made takes over the tensor that a C function writes to out.
func (s *Scope) made(what string, call func(out *C.sd_tensor) *C.char) Tensor {
	if s.err != nil {
		return Tensor{}
	}
	var out C.sd_tensor
	if err := failure(what, call(&out)); err != nil {
		return s.fail(err)
	}
	return s.adopt(unsafe.Pointer(out))
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

// ownText reads a text that C returned, and releases it.
func ownText(text *C.char) string {
	defer C.sd_release(unsafe.Pointer(text))
	return C.GoString(text)
}

// flag is a truth value in C.
func flag(on bool) C.int {
	if on {
		return 1
	}
	return 0
}

// cTensor is the C handle of t, NULL when there is none.
func cTensor(t Tensor) C.sd_tensor { return C.sd_tensor(handle(t)) }

// handles are the C handles of tensors as words.
func handles(list []Tensor) []uint64 {
	w := make([]uint64, len(list))
	for i, t := range list {
		w[i] = uint64(uintptr(handle(t)))
	}
	return w
}

// words passes a slice of words to C; an empty slice becomes NULL.
func words(w []uint64) *C.uint64_t {
	if len(w) == 0 {
		return nil
	}
	return (*C.uint64_t)(unsafe.Pointer(&w[0]))
}
