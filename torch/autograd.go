package torch

// #include "spikedhs/spikedhs.h"
import "C"

import (
	"fmt"
	"runtime"
)

// RequireGradient says whether t is a leaf whose gradient is wanted.
func RequireGradient(t Tensor, on bool) error {
	defer runtime.KeepAlive(t)
	return failure("require gradient", C.sd_require_grad(cTensor(t), flag(on)))
}

// Alias is a second handle of t, with its memory and its graph.
func (s *Scope) Alias(t Tensor) Tensor {
	defer runtime.KeepAlive(t)
	return s.made("alias", func(out *C.sd_tensor) *C.char { return C.sd_tensor_alias(cTensor(t), out) })
}

// Backward computes the gradient of loss (one number) for every leaf that
// requires one and adds it to the leaf's gradient. What the graph kept for it
// is freed on the way.
func (s *Scope) Backward(loss Tensor) {
	if s.err != nil {
		return
	}
	defer runtime.KeepAlive(loss)
	s.Fail(failure("backward", C.sd_backward(cTensor(loss))))
}

// Gradient is the accumulated gradient of a leaf; no tensor when there is none.
func (s *Scope) Gradient(t Tensor) Tensor {
	defer runtime.KeepAlive(t)
	return s.made("gradient", func(out *C.sd_tensor) *C.char { return C.sd_grad(cTensor(t), out) })
}

// ClearGradient forgets the accumulated gradient of a leaf and its memory.
func ClearGradient(t Tensor) error {
	defer runtime.KeepAlive(t)
	return failure("clear gradient", C.sd_clear_grad(cTensor(t)))
}

// GradientOf computes the gradient of loss for the given leaves only: other
// leaves' gradients are neither formed nor changed, which is what the
// architecture step of a search wants. A leaf without influence gets no tensor.
func (s *Scope) GradientOf(loss Tensor, leaves []Tensor) []Tensor {
	return s.gradients(loss, Tensor{}, leaves, false)
}

// GradientThrough is GradientOf for an output y of any shape at which the gradient
// grad arrives: that of sum(grad * y). The graph behind y can be used again where
// retain says so. A y that depends on no leaf at all gives no tensors.
func (s *Scope) GradientThrough(y, grad Tensor, leaves []Tensor, retain bool) []Tensor {
	if s.err == nil && !Defined(grad) {
		s.Fail(fmt.Errorf("torch: gradient of: %w", ErrClosed))
	}
	return s.gradients(y, grad, leaves, retain)
}

// gradients are those of leaves from that of y; no tensor: y is a loss.
func (s *Scope) gradients(y, grad Tensor, leaves []Tensor, retain bool) []Tensor {
	if s.err != nil || len(leaves) == 0 {
		return nil
	}
	defer runtime.KeepAlive(y)
	defer runtime.KeepAlive(grad)
	defer runtime.KeepAlive(leaves)
	out := make([]uint64, len(leaves))
	err := failure("gradient of", C.sd_grad_of(cTensor(y), cTensor(grad), words(handles(leaves)),
		C.int64_t(len(leaves)), flag(retain), words(out)))
	if err != nil {
		s.Fail(err)
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
