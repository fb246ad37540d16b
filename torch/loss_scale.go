package torch

import (
	"fmt"
	"math"
)

// LossScale keeps gradients in float16 from vanishing: its numbers below 6e-8 are 0,
// and gradients of single pixels are as small. The loss is multiplied by a constant
// factor before its gradient is taken, and the gradients of the float32 weights are
// divided by it. With a power of two nothing is rounded.
//
// A step whose gradients are not all finite, because one has overflowed, changes
// nothing: the decision is a number on the device that the optimiser takes (see
// [LossScale.Found]), so that nobody waits for it and a recorded step can make it. The
// step still counts in [Optimizer.Steps].
//
// A nil LossScale leaves losses and gradients as they are.
type LossScale struct {
	factor  float64
	scope   *Scope
	found   Tensor
	inverse Tensor
	skipped Tensor
	fused   bool // libtorch checks and unscales all gradients in one operator here
}

const unscaleOperator = "aten::_amp_foreach_non_finite_check_and_unscale_"

// NewLossScale makes a scale of gradients on d; factor must be a power of two from 1 on.
func NewLossScale(d Device, factor float64) (*LossScale, error) {
	if fraction, _ := math.Frexp(factor); fraction != 0.5 || factor < 1 {
		return nil, fmt.Errorf("torch: loss scale %g: want a power of two from 1 on", factor)
	}
	l := &LossScale{factor: factor, scope: NewInference()}
	l.found, l.skipped, l.inverse = l.scope.Full(d, 0), l.scope.Full(d, 0), l.scope.Full(d, 1/factor)
	if err := l.scope.Err(); err != nil {
		return nil, fmt.Errorf("torch: loss scale: %w", err)
	}
	trial := NewInference()
	trial.Call(unscaleOperator, []Tensor{trial.Full(d, 0, 1)}, l.found, l.inverse)
	l.fused = trial.Close() == nil
	return l, nil
}

// Scale multiplies a loss.
func (l *LossScale) Scale(s *Scope, loss Tensor) Tensor {
	if l == nil {
		return loss
	}
	return s.Scale(loss, l.factor)
}

// Unscale divides the gradients of a scaled loss, in place, and notes whether all are
// finite. Missing gradients are passed over.
func (l *LossScale) Unscale(s *Scope, gradients []Tensor) {
	present := onlyDefined(gradients)
	if l == nil || len(present) == 0 {
		return
	}
	c := s.WithoutGradient()
	defer c.Close()
	if l.fused {
		c.Tensor("aten::fill_.Scalar", l.found, 0.0)
		c.Call(unscaleOperator, present, l.found, l.inverse)
	} else {
		c.Call("aten::_foreach_mul_.Scalar", present, 1/l.factor)
		// The sum of largest magnitudes is finite if all numbers are.
		largest := c.list("aten::_foreach_norm.Scalar", present, math.Inf(1))
		finite := c.Tensor("aten::all", c.Tensor("aten::isfinite", c.Stack(largest, 0)))
		c.CopyTo(l.found, c.Tensor("aten::logical_not", finite))
	}
	c.Tensor("aten::add_.Tensor", l.skipped, l.found)
}

// Found is a float32 without dimensions on the device: 1 if a gradient of the last
// [LossScale.Unscale] was not finite, else 0. It is what libtorch's fused optimisers
// take as found_inf. It stays the same tensor.
func (l *LossScale) Found() Tensor { return l.found }

// foundInf is Found as the argument of an operator: nil where there is no scale.
func (l *LossScale) foundInf() any {
	if l == nil {
		return nil
	}
	return l.found
}

// Skipped is how many steps were skipped so far. It waits for the device.
func (l *LossScale) Skipped() (int64, error) {
	if l == nil {
		return 0, nil
	}
	n, err := Item(l.skipped)
	return int64(n), err
}

// Close frees the numbers on the device.
func (l *LossScale) Close() error {
	if l == nil {
		return nil
	}
	return l.scope.Close()
}

// onlyDefined leaves out the gradients that are no tensor.
func onlyDefined(gradients []Tensor) []Tensor {
	var list []Tensor
	for _, grad := range gradients {
		if Defined(grad) {
			list = append(list, grad)
		}
	}
	return list
}
