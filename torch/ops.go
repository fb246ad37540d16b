package torch

import "slices"

// Typed wrappers of the operators that this project uses. Each is one call of
// [Scope.Call]; shapes are libtorch's. Anything else is reached by Call.

// Zeros makes a float32 tensor of zeros on a device.
func (s *Scope) Zeros(d Device, shape ...int64) Tensor { return s.Full(d, 0, shape...) }

// Full makes a float32 tensor that holds value everywhere.
func (s *Scope) Full(d Device, value float64, shape ...int64) Tensor {
	if shape == nil {
		shape = []int64{}
	}
	return s.Tensor("aten::full", shape, value, Named{"dtype", Float32}, Named{"device", d})
}

// Range makes the float32 numbers 0, 1, ..., n-1 on a device, without a copy from the host.
func (s *Scope) Range(d Device, n int64) Tensor {
	return s.Tensor("aten::arange", n, Named{"dtype", Float32}, Named{"device", d})
}

// Randn draws float32 values from the standard normal distribution.
func (s *Scope) Randn(d Device, shape ...int64) Tensor {
	return s.Tensor("aten::randn", shape, Named{"dtype", Float32}, Named{"device", d})
}

// ZerosLike makes a tensor of zeros with the shape, type and device of t.
func (s *Scope) ZerosLike(t Tensor) Tensor { return s.Tensor("aten::zeros_like", t) }

// To moves t to a device; it returns t's data itself when it is there already.
func (s *Scope) To(t Tensor, d Device) Tensor {
	return s.Tensor("aten::to.dtype_layout", t, Named{"device", d})
}

// Cast converts the element type of t.
func (s *Scope) Cast(t Tensor, dtype int8) Tensor { return s.Tensor("aten::to.dtype", t, dtype) }

// CastLike converts the element type of t to that of like.
func (s *Scope) CastLike(t, like Tensor) Tensor { return s.Tensor("aten::type_as", t, like) }

// ChannelsLast gives a 4-dimensional t the memory order N, H, W, C, in which
// convolutions over few channels are several times faster on CPUs.
func (s *Scope) ChannelsLast(t Tensor) Tensor {
	const channelsLast = 2 // c10::MemoryFormat::ChannelsLast
	return s.Tensor("aten::contiguous", t, Named{"memory_format", channelsLast})
}

// Contiguous gives t the memory order of its dimensions.
func (s *Scope) Contiguous(t Tensor) Tensor { return s.Tensor("aten::contiguous", t) }

// Clone copies t.
func (s *Scope) Clone(t Tensor) Tensor { return s.Tensor("aten::clone", t) }

// Detach shares t's data without its gradient graph.
func (s *Scope) Detach(t Tensor) Tensor { return s.Tensor("aten::detach", t) }

// Add is a + b.
func (s *Scope) Add(a, b Tensor) Tensor { return s.Tensor("aten::add.Tensor", a, b) }

// AddTo adds b to a in place and returns a.
func (s *Scope) AddTo(a, b Tensor) Tensor {
	s.Tensor("aten::add_.Tensor", a, b)
	return a
}

// Sub is a - b.
func (s *Scope) Sub(a, b Tensor) Tensor { return s.Tensor("aten::sub.Tensor", a, b) }

// Mul is a * b, element by element.
func (s *Scope) Mul(a, b Tensor) Tensor { return s.Tensor("aten::mul.Tensor", a, b) }

// Scale is a * factor.
func (s *Scope) Scale(a Tensor, factor float64) Tensor {
	return s.Tensor("aten::mul.Scalar", a, factor)
}

// CopyTo copies src into dst, converting type and device.
func (s *Scope) CopyTo(dst, src Tensor) { s.Tensor("aten::copy_", dst, src) }

// Matmul is the matrix product.
func (s *Scope) Matmul(a, b Tensor) Tensor { return s.Tensor("aten::matmul", a, b) }

// Sum is the sum of all elements.
func (s *Scope) Sum(a Tensor) Tensor { return s.Tensor("aten::sum", a) }

// Mean is the mean of all elements.
func (s *Scope) Mean(a Tensor) Tensor { return s.Tensor("aten::mean", a) }

// MeanOver is the mean over one dimension, which disappears.
func (s *Scope) MeanOver(a Tensor, dim int) Tensor {
	return s.Tensor("aten::mean.dim", a, []int64{int64(dim)})
}

// ReLU is max(a, 0).
func (s *Scope) ReLU(a Tensor) Tensor { return s.Tensor("aten::relu", a) }

// Softmax over dimension dim.
func (s *Scope) Softmax(a Tensor, dim int) Tensor { return s.Tensor("aten::softmax.int", a, dim) }

// CrossEntropy is the mean cross entropy of logits [N, classes] with int64
// targets [N].
func (s *Scope) CrossEntropy(logits, targets Tensor) Tensor {
	return s.Tensor("aten::cross_entropy_loss", logits, targets)
}

// Reshape gives a another shape; one size may be -1.
func (s *Scope) Reshape(a Tensor, shape ...int64) Tensor {
	return s.Tensor("aten::reshape", a, shape)
}

// Expand repeats dimensions of size 1 without copying.
func (s *Scope) Expand(a Tensor, shape ...int64) Tensor { return s.Tensor("aten::expand", a, shape) }

// Select is a[..., index, ...] along dim.
func (s *Scope) Select(a Tensor, dim, index int) Tensor {
	return s.Tensor("aten::select.int", a, dim, index)
}

// Narrow is a[..., start:start+length, ...] along dim.
func (s *Scope) Narrow(a Tensor, dim, start, length int) Tensor {
	return s.Tensor("aten::narrow", a, dim, start, length)
}

// Split cuts a into parts of the given size along dim.
func (s *Scope) Split(a Tensor, dim, size int) []Tensor {
	return s.list("aten::split.Tensor", a, size, dim)
}

// Parts cuts a into parts of the given sizes along dim.
func (s *Scope) Parts(a Tensor, dim int, sizes []int64) []Tensor {
	return s.list("aten::split_with_sizes", a, sizes, dim)
}

// Unbind cuts a into its parts along dim, which disappears.
func (s *Scope) Unbind(a Tensor, dim int) []Tensor { return s.list("aten::unbind.int", a, dim) }

// list runs an operator whose result is a list of tensors.
func (s *Scope) list(name string, args ...any) []Tensor {
	results := s.Call(name, args...)
	if len(results) == 0 {
		return nil
	}
	list, _ := results[0].([]Tensor)
	return list
}

// Cat joins tensors along dim.
func (s *Scope) Cat(list []Tensor, dim int) Tensor { return s.Tensor("aten::cat", list, dim) }

// Stack joins tensors along a new dimension.
func (s *Scope) Stack(list []Tensor, dim int) Tensor { return s.Tensor("aten::stack", list, dim) }

// RepeatFirst repeats the whole of a n times along dimension 0 and keeps its
// memory order, which aten::repeat does not.
func (s *Scope) RepeatFirst(a Tensor, n int) Tensor {
	if IsCUDA(s.Device(a)) && len(s.Shape(a)) == 4 {
		return s.repeatLast(a, n)
	}
	return s.Cat(slices.Repeat([]Tensor{a}, n), 0)
}

// ResizeNearest resizes [N, C, H, W] to the grid h x w by nearest
// interpolation, which keeps spikes binary.
func (s *Scope) ResizeNearest(a Tensor, h, w int64) Tensor {
	return s.Tensor("aten::upsample_nearest2d", a, []int64{h, w})
}

// GlobalAveragePool is the mean over H and W of [N, C, H, W]: [N, C].
func (s *Scope) GlobalAveragePool(a Tensor) Tensor {
	return s.Tensor("aten::mean.dim", a, []int64{2, 3})
}

// AveragePool averages over windows; padding cells do not count.
func (s *Scope) AveragePool(a Tensor, kernel, stride int64) Tensor {
	return s.Tensor("aten::avg_pool2d", a, []int64{kernel, kernel}, []int64{stride, stride},
		[]int64{0, 0}, false, false)
}

// AdaptiveAveragePool averages over windows that make an h x w grid.
func (s *Scope) AdaptiveAveragePool(a Tensor, h, w int64) Tensor {
	return s.Tensor("aten::adaptive_avg_pool2d", a, []int64{h, w})
}

// TopK returns the indices [N, k] of the k largest of each row.
func (s *Scope) TopK(a Tensor, k int) Tensor {
	results := s.Call("aten::topk", a, k)
	if len(results) < 2 {
		return Tensor{}
	}
	t, _ := results[1].(Tensor)
	return t
}

// Shape is the shape of a, or nil after a failure; an unknown tensor makes s
// fail.
func (s *Scope) Shape(a Tensor) []int64 { return ask(s, a, Shape, nil) }

// ask returns what a function says of a; otherwise after a failure.
func ask[R any](s *Scope, a Tensor, of func(Tensor) (R, error), otherwise R) R {
	if s.err != nil {
		return otherwise
	}
	answer, err := of(a)
	if err != nil {
		s.Fail(err)
		return otherwise
	}
	return answer
}

// Size is the size of dimension dim of a. After a failure it is 1, so that
// arithmetic with it stays harmless until the error is looked at.
func (s *Scope) Size(a Tensor, dim int) int64 {
	shape := s.Shape(a)
	if dim < 0 || dim >= len(shape) {
		return 1
	}
	return shape[dim]
}

// Item is the number in a, or 0 after a failure.
func (s *Scope) Item(a Tensor) float64 { return ask(s, a, Item, 0) }

// Device is where a lies; the CPU after a failure.
func (s *Scope) Device(a Tensor) Device { return ask(s, a, deviceOf, CPU()) }
