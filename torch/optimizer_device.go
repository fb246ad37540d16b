package torch

import "slices"

// together is what an optimiser keeps for devices where a call costs more than its
// work, so that an operator runs over all parameters at once.
type together struct {
	scope *Scope
	// numbers are the constants of a step that differ from step to step, as float32
	// tensors without dimensions on the device, where a recorded step finds them.
	numbers []Tensor
	slots   []Tensor // all tensors of a slot as a flat one
	change  Tensor   // flat memory for what a step takes off the parameters
	changes []Tensor // its parts
	fused   bool     // use libtorch's fused optimiser where there is one
}

func newTogether(d Device, values []Tensor) *together {
	t := &together{scope: NewInference(), fused: IsCUDA(d)}
	for range 2 { // as many as Adam has
		t.numbers = append(t.numbers, t.scope.Full(d, 0))
	}
	t.change, t.changes = t.scope.zerosTogether(values)
	return t
}

// slot makes the tensors of one more slot in s.
func (t *together) slot(s *Scope, values []Tensor) []Tensor {
	flat, parts := s.zerosTogether(values)
	t.slots = append(t.slots, flat)
	return parts
}

// set writes numbers to the device without waiting; it does nothing where there are
// no such tensors.
func (t *together) set(s *Scope, values ...float64) {
	if t == nil {
		return
	}
	c := s.WithoutGradient()
	defer c.Close()
	for i, value := range values {
		c.Tensor("aten::fill_.Scalar", t.numbers[i], value)
	}
}

// keep copies the slots before a step that may turn out to be skipped; nothing where no
// step is.
func (t *together) keep(c *Scope, scale *LossScale) []Tensor {
	if scale == nil {
		return nil
	}
	before := make([]Tensor, len(t.slots))
	for k, slot := range t.slots {
		before[k] = c.Clone(slot)
	}
	return before
}

// skip undoes a step that is to be skipped: its slots are those of before, and it takes
// nothing off the parameters. The device decides.
func (t *together) skip(c *Scope, scale *LossScale, before []Tensor) {
	if scale == nil {
		return
	}
	skipped := c.Tensor("aten::gt.Scalar", scale.Found(), 0.0)
	for k, slot := range t.slots {
		c.CopyTo(slot, c.Tensor("aten::where.self", skipped, before[k], slot))
	}
	c.Tensor("aten::masked_fill_.Scalar", t.change, skipped, 0.0)
}

// subtract takes the parts of change off some parameters.
func (t *together) subtract(c *Scope, values []Tensor, which []int) {
	changes := make([]Tensor, len(which))
	for n, i := range which {
		changes[n] = at(t.changes, i)
	}
	c.addTogether(values, changes, -1)
}

func (t *together) close() error {
	if t == nil {
		return nil
	}
	return t.scope.Close()
}

// at is list[i]; after a failure there is no list, and no tensor.
func at(list []Tensor, i int) Tensor {
	if i >= len(list) {
		return Tensor{}
	}
	return list[i]
}

// has reports whether libtorch knows an operator.
func (s *Scope) has(name string) bool {
	_, err := operator(name)
	return err == nil
}

// inLayoutOf is each tensor of a list, or where its strides are not those of its
// match a copy that has them: of others libtorch's operators over many tensors do one
// after the other, and its fused optimisers refuse them.
func (s *Scope) inLayoutOf(like, list []Tensor) []Tensor {
	return s.list("spikedhs::in_layout_of", list, like)
}

// fusedSGD and fusedAdam are one kernel for all parameters; libtorch 2.3 and 2.1 are
// the first to have them with a learning rate on the device.
const (
	fusedSGD  = "aten::_fused_sgd_.tensor_lr"
	fusedAdam = "aten::_fused_adam_.tensor_lr"
)

// fused reports whether steps are done by one kernel.
func (o *Adam) fused(s *Scope) bool {
	return o.together != nil && o.together.fused && s.has(fusedAdam)
}

// applyTogether is [Adam.apply] over all parameters at once.
func (o *Adam) applyTogether(c *Scope, which []int, values, grads []Tensor) {
	first, second, t := o.slotsOf(0, which), o.slotsOf(1, which), o.together
	grads = c.inLayoutOf(values, grads)
	if o.fused(c) {
		steps := slices.Repeat(t.numbers[1:], len(which))
		c.Call(fusedAdam, values, grads, first, second, []Tensor{}, steps, Named{"lr", t.numbers[0]},
			Named{"beta1", o.beta1}, Named{"beta2", o.beta2}, Named{"weight_decay", o.decay}, Named{"eps", adamEpsilon},
			Named{"amsgrad", false}, Named{"maximize", false}, Named{"found_inf", o.scale.foundInf()})
		return
	}
	before := t.keep(c, o.scale)
	if o.decay != 0 {
		grads = c.list("aten::_foreach_add.List", grads, values, Named{"alpha", o.decay})
	}
	c.Call("aten::_foreach_mul_.Scalar", first, o.beta1)
	c.addTogether(first, grads, 1-o.beta1)
	c.Call("aten::_foreach_mul_.Scalar", second, o.beta2)
	c.Call("aten::_foreach_addcmul_.Scalar", second, grads, grads, 1-o.beta2)
	change, into := t.change, Named{"out", t.change}
	c.Tensor("aten::mul.out", t.slots[1], t.numbers[1], into)
	c.Tensor("aten::sqrt_", change)
	c.Tensor("aten::add_.Scalar", change, adamEpsilon)
	c.Tensor("aten::div.out", t.slots[0], change, into)
	c.Tensor("aten::mul_.Tensor", change, t.numbers[0])
	t.skip(c, o.scale, before)
	t.subtract(c, values, which)
}

// clipTogether is [Scope.ClipGradients] for devices where a call costs more than its
// work; present are those of the gradients that are tensors. s records no gradients.
func (s *Scope) clipTogether(gradients, present []Tensor, limit float64) Tensor {
	if s.has("aten::_foreach_mul_.Tensor") {
		norm := s.Tensor("aten::linalg_vector_norm", s.Stack(s.list("aten::_foreach_norm.Scalar", present), 0))
		if limit > 0 {
			s.Call("aten::_foreach_mul_.Tensor", present, s.clipFactor(norm, limit))
		}
		return norm
	}
	flat, parts := s.zerosTogether(present)
	s.addTogether(parts, present, 1)
	norm := s.Tensor("aten::linalg_vector_norm", flat)
	if limit > 0 {
		s.Tensor("aten::mul_.Tensor", flat, s.clipFactor(norm, limit))
		for i, grad := range gradients {
			if Defined(grad) && len(parts) > 0 {
				gradients[i], parts = s.Return(parts[0]), parts[1:]
			}
		}
	}
	return norm
}

// clipFactor is min(1, limit / norm).
func (s *Scope) clipFactor(norm Tensor, limit float64) Tensor {
	return s.Tensor("aten::reciprocal", s.Tensor("aten::clamp_min", s.Scale(norm, 1/limit), 1.0))
}
