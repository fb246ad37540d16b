package spike

import "github.com/spikedhs/spikedhs/torch"

// peakShare is the part of its peak above which a derivative counts.
const peakShare = 0.01

// Inside tells how much of a layer the surrogate's gradient reaches: the share of
// (neuron, step) pairs whose derivative is above 1 % of its largest value at that
// temperature, and the share that is saturated, above the threshold with a
// derivative of at most that. The rest, 1 - inside - saturated, is silent with a
// vanishing derivative. Both results are numbers on the current's device, 0 to 1.
//
// current, temperature and steps are those of [LIF.Fire]. It computes by plain
// operators, several tensors of the current's size, and keeps no graph: for a look
// now and then, not for every step.
func (l LIF) Inside(s *torch.Scope, current, temperature torch.Tensor, steps int) (inside, saturated torch.Tensor) {
	// Checks the arguments with the sentences of Fire.
	l.Fire(s, current, temperature, steps)
	if s.Err() != nil {
		return torch.Tensor{}, torch.Tensor{}
	}
	c := s.WithoutGradient()
	defer c.Close()
	fail := func() (torch.Tensor, torch.Tensor) {
		s.Fail(c.Err())
		return torch.Tensor{}, torch.Tensor{}
	}
	u := c.Cat(l.potentials(c, c.Cast(current, torch.Float32), steps), 0)
	b := c.Cast(temperature, torch.Float32)
	peak := l.peak(c, b)
	if c.Err() != nil {
		return fail()
	}
	if c.Size(b, 0) > 1 {
		shape := make([]int64, len(c.Shape(u)))
		for i := range shape {
			shape[i] = 1
		}
		shape[1] = c.Size(b, 0)
		peak = c.Reshape(peak, shape...)
	}
	reached := c.Tensor("aten::gt.Tensor", l.derivative(c, u, b), c.Scale(peak, peakShare))
	above := c.Tensor("aten::gt.Scalar", u, l.Threshold)
	missed := c.Tensor("aten::logical_and", above, c.Tensor("aten::logical_not", reached))
	share := func(mask torch.Tensor) torch.Tensor { return c.Mean(c.Cast(mask, torch.Float32)) }
	x, y := share(reached), share(missed)
	if c.Err() != nil {
		return fail()
	}
	return s.Detach(x), s.Detach(y)
}

// potentials are u_1 ... u_T of eq. 1, before the reset.
func (l LIF) potentials(s *torch.Scope, current torch.Tensor, steps int) []torch.Tensor {
	batch := int(s.Size(current, 0)) / steps
	potentials := make([]torch.Tensor, steps)
	var v torch.Tensor
	for t := range steps {
		u := s.Narrow(current, 0, t*batch, batch)
		if t > 0 {
			u = s.Add(s.Scale(v, l.Tau), u)
		}
		silent := s.Tensor("aten::le.Scalar", u, l.Threshold)
		v = s.Mul(u, s.CastLike(silent, u))
		potentials[t] = u
	}
	return potentials
}

// derivative is dy/du for every element of u.
func (l LIF) derivative(s *torch.Scope, u, b torch.Tensor) torch.Tensor {
	return s.Tensor("spikedhs::surrogate", append([]any{u, b, l.Threshold}, l.Surrogate.Arguments(s, u)...)...)
}

// peak is the largest derivative at each temperature, looked for over the range
// that a table covers.
func (l LIF) peak(s *torch.Scope, b torch.Tensor) torch.Tensor {
	z := make([]float64, tableColumns)
	for i := range z {
		z[i] = -tableReach + 2*tableReach*float64(i)/(tableColumns-1)
	}
	grid := s.To(s.Cast(torch.FromSlice(s, z, tableColumns, 1), torch.Float32), s.Device(b))
	u := s.Tensor("aten::add.Scalar", s.Tensor("aten::div.Tensor", grid, s.Reshape(b, 1, -1)), l.Threshold)
	return s.Tensor("aten::amax", l.derivative(s, u, s.Reshape(b, -1)), []int64{0})
}
