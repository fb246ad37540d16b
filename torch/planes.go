package torch

// ForwardPlanes convolves over depth, height and width where depth is folded
// into the batch: x is [N*planes, C, H, W], and so is the result with its own
// channels. The kernel must have side 1 or 3, with stride 1 and the padding that
// keeps the size. On CPUs this is several times faster than aten::conv3d, and
// computes the same sums. With planes 0 it is [Conv.Forward].
func (c *Conv) ForwardPlanes(s *Scope, x Tensor, planes int) Tensor {
	if planes == 0 {
		return c.Forward(s, x)
	}
	defer s.Blame(c.name, s.Err())
	inner := s.Child()
	defer inner.Close()
	x = inner.computeIn(c.Options.Compute, x)
	weight := inner.computeIn(c.Options.Compute, c.Weight) // [O, C, k, k, k]
	if c.Options.Kernel > 1 {
		x = inner.Tensor("spikedhs::depth_stack", x, planes)
	}
	weight = inner.Tensor("aten::permute", weight, []int64{0, 2, 1, 3, 4})
	weight = inner.ChannelsLast(inner.Tensor("aten::flatten.using_ints", weight, 1, 2))
	stride := []int64{c.Options.Stride, c.Options.Stride}
	padding := []int64{c.Options.Padding, c.Options.Padding}
	return inner.Return(inner.Tensor("aten::conv2d", x, weight, c.biasIn(inner), stride, padding))
}
