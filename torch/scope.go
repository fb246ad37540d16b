package torch

// #include "spikedhs/spikedhs.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// Scope owns the tensors that are made through it and frees them all when it
// is closed: Go's collector does not see libtorch's memory, so nothing here
// waits for it. Operators are methods of a scope.
//
//	s := torch.NewScope()
//	defer s.Close()
//	y := s.Add(s.Matmul(x, w), z)
//	if err := s.Err(); err != nil { ... }
//
// Errors stick: after the first failure every operator does nothing and
// returns no tensor, and [Scope.Err] tells what failed first. So a forward
// pass reads like its formula and is checked once at its end.
//
// A scope belongs to one goroutine at a time. Finalizers free what a forgotten
// scope held, as a safety net only.
type Scope struct {
	parent *Scope
	owned  []*unsafe.Pointer
	record bool // operators record gradients
	closed bool
	err    error
	words  []uint64 // reused for the encoding of arguments
}

// NewScope returns a scope whose operators record gradients where a tensor
// requires one.
func NewScope() *Scope { return &Scope{record: true} }

// NewInference returns a scope whose operators record no gradients.
func NewInference() *Scope { return &Scope{} }

// Child returns a scope for temporaries inside s: it records gradients as s
// does, starts with the error of s, and hands its own error up when closed.
func (s *Scope) Child() *Scope {
	return &Scope{parent: s, record: s.record, err: s.err, words: s.words[:0:0]}
}

// WithoutGradient returns a child scope that records no gradients.
func (s *Scope) WithoutGradient() *Scope {
	c := s.Child()
	c.record = false
	return c
}

// Records reports whether operators of s record gradients.
func (s *Scope) Records() bool { return s.record }

// Return moves t from s to the parent of s, so that it outlives s. A tensor
// that s does not own is returned as it is.
func (s *Scope) Return(t Tensor) Tensor {
	if s.parent != nil && s.disown(t) {
		s.parent.owned = append(s.parent.owned, t.T)
	}
	return t
}

// disown takes t off what s owns; false where s does not own it.
func (s *Scope) disown(t Tensor) bool {
	for i := len(s.owned) - 1; i >= 0; i-- {
		if s.owned[i] == t.T {
			s.owned = append(s.owned[:i], s.owned[i+1:]...)
			return true
		}
	}
	return false
}

// Free frees t now when s owns it: for large temporaries in the middle of a
// scope. Its memory goes when the gradient graph does not need it either.
func (s *Scope) Free(t Tensor) {
	if s.disown(t) {
		freeHandle(t.T)
	}
}

// Own adopts a tensor that gotorch made: its finalizer is disarmed and s frees
// it. Do not mix it with gotorch's torch.GC(), which waits for the finalizers
// of all the tensors it counted.
func (s *Scope) Own(t Tensor) Tensor {
	if t.T == nil || *t.T == nil {
		return s.fail(fmt.Errorf("torch: own: %w", ErrClosed))
	}
	C.sd_tensor_adopt(C.sd_tensor(*t.T))
	runtime.SetFinalizer(t.T, nil) // gotorch's
	runtime.SetFinalizer(t.T, freeHandle)
	trackTensor(t.T)
	s.owned = append(s.owned, t.T)
	return t
}

// Close frees everything that s owns and returns the error of s. It may be
// called again; then it does nothing more.
func (s *Scope) Close() error {
	if s.closed {
		return s.err
	}
	s.closed = true
	for i := len(s.owned) - 1; i >= 0; i-- {
		freeHandle(s.owned[i])
	}
	s.owned = nil
	if s.parent != nil && s.parent.err == nil {
		s.parent.err = s.err
	}
	return s.err
}

// Err is the first error of s, nil when all operators succeeded.
func (s *Scope) Err() error { return s.err }

// Fail records err as the error of s if it has none yet.
func (s *Scope) Fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// fail records err and returns no tensor.
func (s *Scope) fail(err error) Tensor {
	s.Fail(err)
	return Tensor{}
}

// Blame puts the name of a layer in front of an error that came up inside it.
// Use it with the error state before the layer ran:
//
//	defer s.Blame("cells.0.node1", s.Err())
func (s *Scope) Blame(layer string, before error) {
	if before == nil && s.err != nil {
		var named *layerError
		if !errors.As(s.err, &named) {
			s.err = &layerError{layer: layer, err: s.err}
		}
	}
}

// layerError says in which layer an operator failed; the innermost name stays.
type layerError struct {
	layer string
	err   error
}

func (e *layerError) Error() string { return e.layer + ": " + e.err.Error() }
func (e *layerError) Unwrap() error { return e.err }

// adopt makes s the owner of a new handle.
func (s *Scope) adopt(h unsafe.Pointer) Tensor {
	if h == nil {
		return Tensor{}
	}
	p := new(unsafe.Pointer)
	*p = h
	runtime.SetFinalizer(p, freeHandle)
	trackTensor(p)
	if s.closed {
		s.Fail(errors.New("torch: operator called on a closed scope"))
	}
	s.owned = append(s.owned, p)
	return Tensor{T: p}
}

// freeHandle frees the tensor behind p once; later users see no tensor.
func freeHandle(p *unsafe.Pointer) {
	if *p == nil {
		return
	}
	runtime.SetFinalizer(p, nil)
	untrackTensor(p)
	C.sd_tensor_free(C.sd_tensor(*p))
	*p = nil
}
