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

// rate is the first number, the learning rate, or 0 in a skipped step; no tensor where
// there are no numbers.
func (n *numbers) rate(c *Scope, skip *choice) Tensor {
	if n == nil {
		return Tensor{}
	}
	if skip == nil {
		return n.list[0]
	}
	return skip.gradient(n.list[0])
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
	skip := o.scale.choose(c)
	rate := o.numbers.rate(c, skip)
	decayed := values
	if skip == nil {
		c.Call("aten::_foreach_mul_.Scalar", momenta, o.momentum)
	} else {
		c.scaleTogether(momenta, skip.number(o.momentum, 1))
		for i, grad := range grads {
			grads[i] = skip.gradient(grad)
		}
	}
	c.Call("aten::_foreach_add_.List", momenta, grads)
	if o.decay != 0 {
		if skip != nil {
			decayed = c.scaledTogether(values, skip.number(1, 0))
		}
		c.Call("aten::_foreach_add_.List", momenta, decayed, Named{"alpha", o.decay})
	}
	if c.has("aten::_foreach_mul.Tensor") { // libtorch 2.1
		c.Call("aten::_foreach_add_.List", values, c.list("aten::_foreach_mul.Tensor", momenta, rate), Named{"alpha", -1.0})
		return
	}
	for i, value := range values {
		c.Tensor("aten::addcmul_", value, momenta[i], rate, Named{"value", -1.0})
	}
}

// scaledTogether multiplies tensors by a number on the device.
func (s *Scope) scaledTogether(list []Tensor, factor Tensor) []Tensor {
	if s.has("aten::_foreach_mul.Tensor") { // libtorch 2.1
		return s.list("aten::_foreach_mul.Tensor", list, factor)
	}
	products := make([]Tensor, len(list))
	for i, x := range list {
		products[i] = s.Mul(x, factor)
	}
	return products
}

// scaleTogether does so in place.
func (s *Scope) scaleTogether(list []Tensor, factor Tensor) {
	if s.has("aten::_foreach_mul_.Tensor") { // libtorch 2.1
		s.Call("aten::_foreach_mul_.Tensor", list, factor)
		return
	}
	for _, x := range list {
		s.Tensor("aten::mul_.Tensor", x, factor)
	}
}
