package graph

import "github.com/spikedhs/spikedhs/torch"

// Conv is a folded convolution. With Planes the depth of a volume lies in the batch, and a
// convolution over three dimensions is one over two on planes that carry their neighbours
// as further channels.
type Conv struct {
	X            Value
	Weight, Bias int // constants [O, C, K, K] and [O]
	Stride, Pad  int64
	// Groups of channels do not see each other; 0 and 1 are one group.
	Groups int64
	// Planes is the depth of X, 0 over two dimensions.
	Planes int
	// Whole is float32 always: it reads the inputs, or makes the cost.
	Whole bool
	// Last: one channel is made of many planes. Each tap of the depth then is a channel of
	// its own, summed over the planes afterwards, which takes a fraction of the memory of
	// planes that carry their neighbours.
	Last bool
}

// Run convolves.
func (o Conv) Run(r *Run) torch.Tensor { return o.row(r, r.At(o.X)) }

func (o Conv) source() Value { return o.X }

func (o Conv) finish(_ *Run, y torch.Tensor) torch.Tensor { return y }

func (o Conv) row(r *Run, x torch.Tensor) torch.Tensor {
	s := r.Scope
	weight, bias := r.Tensor(o.Weight), r.Tensor(o.Bias)
	stride, pad := []int64{o.Stride, o.Stride}, []int64{o.Pad, o.Pad}
	if r.half != nil && o.Whole {
		x = s.Cast(x, torch.Float32)
	} else if r.half != nil {
		weight, bias = r.half.constants[o.Weight], r.half.constants[o.Bias]
		if r.half.cell && o.Groups <= 1 {
			return s.Tensor("spikedhs::conv_forward", x, weight, bias, o.Stride, pad)
		}
	}
	if o.Last {
		k := 2*o.Pad + 1
		y := s.Tensor("aten::conv2d", x, s.Reshape(weight, k, -1, k, k), nil, stride, pad)
		return s.Add(depthSum(s, y, o.Planes), bias)
	}
	if o.Taps() > 1 {
		return o.deep(s, x, weight, bias)
	}
	y := conv2d(s, x, weight, bias, o.Stride, o.Pad, o.Groups)
	if r.half != nil && o.Whole { // spikes of 16 bits from here on
		y = s.Cast(y, r.half.dtype)
	}
	return y
}

// conv2d is libtorch's, over two dimensions of the same stride and padding.
func conv2d(s *torch.Scope, x, weight torch.Tensor, bias any, stride, pad, groups int64) torch.Tensor {
	args := []any{x, weight, bias, []int64{stride, stride}, []int64{pad, pad}}
	if groups > 1 {
		args = append(args, []int64{1, 1}, groups)
	}
	return s.Tensor("aten::conv2d", args...)
}

// Taps is how many planes the convolution takes for each of its own.
func (o Conv) Taps() int64 {
	if o.Planes > 0 {
		return 2*o.Pad + 1
	}
	return 1
}

// stackElements are the numbers of planes with their neighbours that are convolved at
// once: of a whole volume these would be the peak of a stream's memory.
const stackElements = 4 << 20

// deep is the convolution over three dimensions. On a CPU one sequence is worked
// through in runs of planes; a GPU is faster with all of them.
func (o Conv) deep(s *torch.Scope, x, weight, bias torch.Tensor) torch.Tensor {
	conv := func(s *torch.Scope, x torch.Tensor) torch.Tensor {
		return s.Tensor("aten::conv2d", x, weight, bias, []int64{1, 1}, []int64{o.Pad, o.Pad})
	}
	run := planesAtOnce(s.Shape(x), o.Planes)
	if run >= o.Planes || s.Device(x) != torch.CPU() {
		return conv(s, s.Tensor("spikedhs::depth_stack", x, o.Planes))
	}
	var parts []torch.Tensor
	for first := 0; first < o.Planes; first += run {
		inner := s.Child()
		n := min(run, o.Planes-first)
		from, to := max(0, first-1), min(o.Planes, first+n+1)
		stack := inner.Tensor("spikedhs::depth_stack", inner.Narrow(x, 0, from, to-from), to-from)
		parts = append(parts, inner.Return(conv(inner, inner.Narrow(stack, 0, first-from, n))))
		if inner.Close() != nil {
			return torch.Tensor{}
		}
	}
	return s.Cat(parts, 0)
}

// planesAtOnce is the length of a run of planes for volumes [N*planes, C, H, W].
func planesAtOnce(shape []int64, planes int) int {
	if len(shape) != 4 || shape[0] != int64(planes) {
		return planes // several sequences, or an error that the operators will name
	}
	return int(max(1, stackElements/max(1, 3*shape[1]*shape[2]*shape[3])))
}

// depthSum adds up, for every plane d of x [N*planes, 3, H, W], channel k of plane
// d + k - 1: [N*planes, 1, H, W].
func depthSum(s *torch.Scope, x torch.Tensor, planes int) torch.Tensor {
	x = s.Reshape(x, -1, int64(planes), 3, s.Size(x, 2), s.Size(x, 3))
	before := s.Tensor("aten::constant_pad_nd", s.Select(x, 2, 0), []int64{0, 0, 0, 0, 1, -1}, 0.0)
	after := s.Tensor("aten::constant_pad_nd", s.Select(x, 2, 2), []int64{0, 0, 0, 0, -1, 1}, 0.0)
	y := s.Add(s.Add(before, s.Select(x, 2, 1)), after)
	return s.Tensor("aten::unsqueeze", s.Tensor("aten::flatten.using_ints", y, 0, 1), 1)
}
