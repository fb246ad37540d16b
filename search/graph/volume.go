package graph

import "github.com/spikedhs/spikedhs/torch"

// FeatureVolume puts the features of the two views side by side (LEAStereo):
//
//	V[b, 0:C,  i, y, x] = FL[b, :, y, x]
//	V[b, C:2C, i, y, x] = FR[b, :, y, x - i]    for x >= i, else both are 0
//
// for the planes i = 0 ... planes-1. left and right are [B, C, H, W]; the result
// is [B, 2C, planes, H, W], in channels-last order where left is. One operator,
// forward and backward, on CPU and CUDA.
func FeatureVolume(s *torch.Scope, left, right torch.Tensor, planes int) torch.Tensor {
	return s.Tensor("spikedhs::feature_volume", left, right, planes)
}

// FoldedVolume is the volume with its depth folded into the batch,
// [B*planes, 2C, H, W], without another copy.
func FoldedVolume(s *torch.Scope, left, right torch.Tensor, planes int) torch.Tensor {
	c := s.Child()
	defer c.Close()
	shape := c.Shape(left)
	if len(shape) != 4 {
		return torch.Tensor{}
	}
	v := FeatureVolume(c, c.ChannelsLast(left), c.ChannelsLast(right), planes)
	v = c.Tensor("aten::permute", v, []int64{0, 2, 3, 4, 1})
	v = c.Reshape(v, -1, shape[2], shape[3], 2*shape[1])
	return c.Return(c.Tensor("aten::permute", v, []int64{0, 3, 1, 2}))
}

// views joins the left and right stacks of T steps, [T*N, C, H, W] each, to one
// batch [T*2N, C, H, W] with time slowest: the views share weights and
// statistics, and every view has membranes of its own.
func views(s *torch.Scope, left, right torch.Tensor, steps int) torch.Tensor {
	c := s.Child()
	defer c.Close()
	shape := c.Shape(left)
	if len(shape) != 4 {
		return torch.Tensor{}
	}
	apart := append([]int64{int64(steps), -1}, shape[1:]...)
	both := c.Cat([]torch.Tensor{c.Reshape(left, apart...), c.Reshape(right, apart...)}, 1)
	return c.Return(c.Reshape(both, append([]int64{-1}, shape[1:]...)...))
}

// ApartViews takes the views of [T*2N, C, H, W] apart again.
func ApartViews(s *torch.Scope, x torch.Tensor, steps int) (left, right torch.Tensor) {
	c := s.Child()
	defer c.Close()
	shape := c.Shape(x)
	if len(shape) != 4 || steps == 0 {
		return torch.Tensor{}, torch.Tensor{}
	}
	// Through [T, 2, N, H, W, C], the order in memory.
	x = c.Tensor("aten::permute", c.ChannelsLast(x), []int64{0, 2, 3, 1})
	x = c.Reshape(x, int64(steps), 2, -1, shape[2], shape[3], shape[1])
	halves := c.Unbind(x, 1)
	if len(halves) != 2 {
		return torch.Tensor{}, torch.Tensor{}
	}
	for i, half := range halves {
		half = c.Reshape(half, -1, shape[2], shape[3], shape[1])
		halves[i] = c.Return(c.Tensor("aten::permute", half, []int64{0, 3, 1, 2}))
	}
	return halves[0], halves[1]
}

// JoinViews joins both views and fills them up with zeros on top and to the left.
func JoinViews(s *torch.Scope, left, right torch.Tensor, steps int) torch.Tensor {
	c := s.Child()
	defer c.Close()
	height, width := c.Size(left, 2), c.Size(left, 3)
	x := c.Cast(views(c, left, right, steps), torch.Float32)
	top, before := int64(Padded(int(height)))-height, int64(Padded(int(width)))-width
	if torch.IsCUDA(c.Device(x)) {
		return c.Return(padLast(c, x, before, top))
	}
	return c.Return(c.ChannelsLast(c.Tensor("aten::constant_pad_nd", x, []int64{before, 0, top, 0})))
}

// padLast adds zeros before the columns and on top of the rows of x [N, C, H, W] and lays
// it out channels last on the way, not by a copy of its own.
func padLast(s *torch.Scope, x torch.Tensor, before, top int64) torch.Tensor {
	x = s.Tensor("aten::permute", x, []int64{0, 2, 3, 1})
	x = s.Tensor("aten::constant_pad_nd", x, []int64{0, 0, before, 0, top, 0})
	return s.Tensor("aten::permute", x, []int64{0, 3, 1, 2})
}

// Volume is the feature volume of both views, [T*2N, C, H, W] to [T*N*Planes, 2C, H, W].
type Volume struct {
	X      Value
	Planes int
}

// Run makes the volume.
func (o Volume) Run(r *Run) torch.Tensor {
	left, right := ApartViews(r.Scope, r.At(o.X), r.Steps)
	return FoldedVolume(r.Scope, left, right, o.Planes)
}
