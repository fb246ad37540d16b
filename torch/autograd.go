package torch

// #include "spikedhs/spikedhs.h"
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// RequireGradient says whether t is a leaf whose gradient is wanted.
func RequireGradient(t Tensor, on bool) error {
	flag := C.int(0)
	if on {
		flag = 1
	}
	err := message(C.sd_require_grad(C.sd_tensor(handle(t)), flag))
	runtime.KeepAlive(t)
	if err != nil {
		return fmt.Errorf("torch: require gradient: %w", err)
	}
	return nil
}

// Alias is a second handle of t, with its memory and its graph.
func (s *Scope) Alias(t Tensor) Tensor {
	if s.err != nil {
		return Tensor{}
	}
	var out C.sd_tensor
	err := message(C.sd_tensor_alias(C.sd_tensor(handle(t)), &out))
	runtime.KeepAlive(t)
	if err != nil {
		return s.fail(fmt.Errorf("torch: alias: %w", err))
	}
	return s.adopt(unsafe.Pointer(out))
}

// Backward computes the gradient of loss (one number) for every leaf that
// requires one and adds it to the leaf's gradient. What the graph kept for it
// is freed on the way.
func (s *Scope) Backward(loss Tensor) {
	if s.err != nil {
		return
	}
	if err := message(C.sd_backward(C.sd_tensor(handle(loss)))); err != nil {
		s.Fail(fmt.Errorf("torch: backward: %w", err))
	}
	runtime.KeepAlive(loss)
}

// Gradient is the accumulated gradient of a leaf; no tensor when there is none.
func (s *Scope) Gradient(t Tensor) Tensor {
	if s.err != nil {
		return Tensor{}
	}
	var out C.sd_tensor
	err := message(C.sd_grad(C.sd_tensor(handle(t)), &out))
	runtime.KeepAlive(t)
	if err != nil {
		return s.fail(fmt.Errorf("torch: gradient: %w", err))
	}
	return s.adopt(unsafe.Pointer(out))
}

// ClearGradient forgets the accumulated gradient of a leaf and its memory.
func ClearGradient(t Tensor) error {
	err := message(C.sd_clear_grad(C.sd_tensor(handle(t))))
	runtime.KeepAlive(t)
	if err != nil {
		return fmt.Errorf("torch: clear gradient: %w", err)
	}
	return nil
}

// GradientOf computes the gradient of loss for the given leaves only: other
// leaves' gradients are neither formed nor changed, which is what the
// architecture step of a search wants. A leaf without influence gets no tensor.
func (s *Scope) GradientOf(loss Tensor, leaves []Tensor) []Tensor {
	return s.gradients(leaves, func(inputs, grads []uint64) *C.char {
		defer runtime.KeepAlive(loss)
		return C.sd_grad_of(C.sd_tensor(handle(loss)), words(inputs), C.int64_t(len(inputs)), words(grads))
	})
}

// GradientThrough is GradientOf for an output y of any shape at which the gradient
// grad arrives: that of sum(grad * y). The graph behind y can be used again where
// retain says so. A y that depends on no leaf at all gives no tensors.
func (s *Scope) GradientThrough(y, grad Tensor, leaves []Tensor, retain bool) []Tensor {
	keep := C.int(0)
	if retain {
		keep = 1
	}
	return s.gradients(leaves, func(inputs, grads []uint64) *C.char {
		defer runtime.KeepAlive(y)
		defer runtime.KeepAlive(grad)
		return C.sd_grad_through(C.sd_tensor(handle(y)), C.sd_tensor(handle(grad)), words(inputs), C.int64_t(len(inputs)), keep, words(grads))
	})
}

// gradients passes leaves to a function of C and takes over the gradients it writes.
func (s *Scope) gradients(leaves []Tensor, of func(inputs, grads []uint64) *C.char) []Tensor {
	if s.err != nil || len(leaves) == 0 {
		return nil
	}
	inputs := make([]uint64, len(leaves))
	for i, leaf := range leaves {
		inputs[i] = uint64(uintptr(handle(leaf)))
	}
	out := make([]uint64, len(leaves))
	err := message(of(inputs, out))
	runtime.KeepAlive(leaves)
	if err != nil {
		s.Fail(fmt.Errorf("torch: gradient of: %w", err))
		return nil
	}
	grads := make([]Tensor, len(out))
	for i, word := range out {
		grads[i] = s.adopt(pointer(word))
	}
	return grads
}

// Gradients are the accumulated gradients of parameters in their order, for
// [Optimizer.Step] after [Scope.Backward].
func (s *Scope) Gradients(parameters []Variable) []Tensor {
	list := make([]Tensor, len(parameters))
	for i, p := range parameters {
		list[i] = s.Gradient(p.Value)
	}
	return list
}
