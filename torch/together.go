package torch

// Work on many tensors at once: on a device a launch of a kernel costs more than
// most of what one tensor needs.

// CastTogether casts tensors of one element type to another; each result has the
// layout of its tensor. Forward and backward take as many launches as for one. The
// tensors must be dense, as parameters are.
func (s *Scope) CastTogether(list []Tensor, dtype int8) []Tensor {
	if len(list) == 0 {
		return nil
	}
	return s.list("spikedhs::cast_together", list, dtype)
}

// zerosTogether makes zeros with the shapes and layouts of tensors, which must be
// dense and of one element type: as parts of one flat tensor, and that.
func (s *Scope) zerosTogether(like []Tensor) (flat Tensor, parts []Tensor) {
	results := s.Call("spikedhs::zeros_together", like)
	if len(results) != 2 {
		return Tensor{}, nil
	}
	flat, _ = results[0].(Tensor)
	parts, _ = results[1].([]Tensor)
	return flat, parts
}

// addTogether adds list[i] * factor to sums[i] in place. No tensor may be twice in
// sums.
func (s *Scope) addTogether(sums, list []Tensor, factor float64) {
	s.Call("aten::_foreach_add_.List", sums, list, Named{"alpha", factor})
}

// ShiftMeans adds biases[i] * share to the running mean means[i] of a normalisation,
// also between its forward pass in training and the backward pass. No tensor may be
// twice in means.
func (s *Scope) ShiftMeans(means, biases []Tensor, share float64) {
	s.Call("spikedhs::shift_means", means, biases, share)
}

// repeatLast is [Scope.RepeatFirst] of [N, C, H, W] with channels last: one copy
// forward and one sum backward, for as many as n-1 sums.
func (s *Scope) repeatLast(a Tensor, n int) Tensor {
	c := s.Child()
	defer c.Close()
	shape := c.Shape(a)
	if c.err != nil {
		return Tensor{}
	}
	rows := c.Tensor("aten::unsqueeze", c.Tensor("aten::permute", a, []int64{0, 2, 3, 1}), 0)
	all := c.Expand(rows, int64(n), shape[0], shape[2], shape[3], shape[1])
	flat := c.Reshape(all, int64(n)*shape[0], shape[2], shape[3], shape[1])
	return c.Return(c.Tensor("aten::permute", flat, []int64{0, 3, 1, 2}))
}
