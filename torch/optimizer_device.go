package torch

// numbers are the constants of a step that differ from step to step, as float32
// tensors without dimensions on the device, where a recorded step finds them.
type numbers struct {
	scope *Scope
	list  []Tensor
}

func newNumbers(d Device) *numbers {
	n := &numbers{scope: NewInference()}
	for range 2 { // as many as Adam has
		n.list = append(n.list, n.scope.Full(d, 0))
	}
	return n
}

// set writes values to the device without waiting; it does nothing where there are
// no such tensors.
func (n *numbers) set(s *Scope, values ...float64) {
	if n == nil {
		return
	}
	c := s.WithoutGradient()
	defer c.Close()
	for i, value := range values {
		c.Tensor("aten::fill_.Scalar", n.list[i], value)
	}
}

func (n *numbers) close() error {
	if n == nil {
		return nil
	}
	return n.scope.Close()
}

// has reports whether libtorch knows an operator.
func (s *Scope) has(name string) bool {
	_, err := operator(name)
	return err == nil
}

// applyTogether is a step for devices where a call costs more than its work: an
// operator runs over all parameters at once. c records no gradients.
func (o *SGD) applyTogether(c *Scope, gradients []Tensor) {
	values, momenta, grads := o.changed(gradients)
	if len(grads) == 0 {
		return
	}
	rate := o.numbers.list[0]
	c.Call("aten::_foreach_mul_.Scalar", momenta, o.momentum)
	c.Call("aten::_foreach_add_.List", momenta, grads)
	if o.decay != 0 {
		c.Call("aten::_foreach_add_.List", momenta, values, Named{"alpha", o.decay})
	}
	if c.has("aten::_foreach_mul.Tensor") { // libtorch 2.1
		c.Call("aten::_foreach_add_.List", values, c.list("aten::_foreach_mul.Tensor", momenta, rate), Named{"alpha", -1.0})
		return
	}
	for i, value := range values {
		c.Tensor("aten::addcmul_", value, momenta[i], rate, Named{"value", -1.0})
	}
}
