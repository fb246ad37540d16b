package graph

import (
	"math"

	"github.com/spikedhs/spikedhs/torch"
)

// none is the index of a constant that is not there.
const none = -1

// tapsToBins are the weights [bins, planes, 1, 3] that sum the taps of the last
// convolution over the planes and interpolate the bins: tap k of plane e belongs to plane
// e-k+1. ofBins is the bias of the bins, none where the convolution has none.
func (p *Program) tapsToBins(o Bins, bias torch.Tensor) (weights, ofBins int) {
	s := p.scope.Child()
	defer s.Close()
	mapping := s.Reshape(p.Tensor(o.Mapping), -1, int64(o.Planes))
	padded := s.Tensor("aten::constant_pad_nd", mapping, []int64{1, 1})
	var taps []torch.Tensor
	for k := range 3 {
		taps = append(taps, s.Narrow(padded, 1, 2-k, o.Planes))
	}
	weights, ofBins = p.derived(s.Return(s.Tensor("aten::unsqueeze", s.Stack(taps, 2), 2))), none
	if torch.Defined(bias) {
		ofBins = p.derived(s.Return(s.Mul(s.Tensor("aten::sum.dim_IntList", mapping, []int64{1}), bias)))
	}
	return weights, ofBins
}

// stack stacks planes with their neighbours.
type stack struct {
	X      Value
	planes int
}

func (o stack) Run(r *Run) torch.Tensor {
	return r.Scope.Tensor("spikedhs::depth_stack", r.At(o.X), o.planes)
}

// stackedConv is a convolution over two dimensions, or over stacked planes.
type stackedConv struct {
	X            Value
	Weight, Bias int // constants; a bias may be none
	Stride, Pad  int64
	Groups       int64
	Whole, first bool // see Conv; the first reads the inputs
}

func (o stackedConv) Run(r *Run) torch.Tensor {
	s, x := r.Scope, r.At(o.X)
	constant := r.Tensor
	if r.half != nil && o.Whole {
		x = s.Cast(x, torch.Float32)
	} else if r.half != nil {
		constant = func(i int) torch.Tensor { return r.half.constants[i] }
	}
	weight := constant(o.Weight)
	var bias any
	if o.Bias != none {
		if o.Pad == 0 && o.Stride == 1 && o.Groups <= 1 {
			return multiply(s, x, weight, constant(o.Bias))
		}
		bias = constant(o.Bias)
	}
	y := conv2d(s, x, weight, bias, o.Stride, o.Pad, o.Groups)
	if r.half != nil && o.first { // spikes of 16 bits from here on
		y = s.Cast(y, r.half.dtype)
	}
	return y
}

// multiply is a convolution of side 1 as the product of matrices that it is, whose kernel
// adds the bias as well.
func multiply(s *torch.Scope, x, weight, bias torch.Tensor) torch.Tensor {
	pixels := s.Tensor("aten::permute", s.ChannelsLast(x), []int64{0, 2, 3, 1})
	shape := s.Shape(pixels)
	if len(shape) != 4 {
		return torch.Tensor{}
	}
	weight = s.Tensor("aten::t", s.Reshape(weight, -1, shape[3]))
	y := s.Tensor("aten::addmm", bias, s.Reshape(pixels, -1, shape[3]), weight)
	return s.Tensor("aten::permute", s.Reshape(y, shape[0], shape[1], shape[2], -1), []int64{0, 3, 1, 2})
}

// gather is a [Regrid] of volumes by one operator.
type gather struct{ Regrid }

func (o gather) Run(r *Run) torch.Tensor {
	s, x := r.Scope, r.At(o.X)
	from, to := o.between(r)
	if from == to {
		return s.Clone(x) // the source goes when nobody reads it
	}
	channels := s.Size(x, 1)
	// Channels last is [N*planes, H, W, C] in memory.
	rows := s.Tensor("aten::permute", s.ChannelsLast(x), []int64{0, 2, 3, 1})
	rows = s.Reshape(rows, -1, int64(from.Planes*from.Height*from.Width), channels)
	rows = s.Tensor("aten::index_select", rows, 1, r.nearest(from, to))
	rows = s.Reshape(rows, -1, int64(to.Height), int64(to.Width), channels)
	return s.Tensor("aten::permute", rows, []int64{0, 3, 1, 2})
}

// nearestIndices are those of the present size of the inputs, so that a stream makes each
// once.
type nearestIndices struct {
	height, width int64
	between       map[[2]Grid]torch.Tensor
}

// nearest is the index of where each place of a grid comes from.
func (r *Run) nearest(from, to Grid) torch.Tensor {
	p := r.Program
	height, width := r.Size()
	if have := &p.indices; have.height != height || have.width != width {
		for _, index := range have.between {
			p.scope.Free(index)
		}
		*have = nearestIndices{height, width, map[[2]Grid]torch.Tensor{}}
	}
	key := [2]Grid{from, to}
	index, ok := p.indices.between[key]
	if !ok {
		device := p.scope.Device(p.Tensor(0))
		index = torch.Upload(p.scope, device, nearestIndex(from, to), int64(to.Planes*to.Height*to.Width))
		p.indices.between[key] = index
	}
	return index
}

// nearestIndex lists, for every place of a grid, the nearest of another, as [Resize] has it.
func nearestIndex(from, to Grid) []int64 {
	pick := func(i, from, to int) int { // as libtorch, in float32
		return min(int(math.Floor(float64(float32(i)*(float32(from)/float32(to))))), from-1)
	}
	var list []int64
	for z := range to.Planes {
		plane := z * from.Planes / to.Planes
		for y := range to.Height {
			row := plane*from.Height + pick(y, from.Height, to.Height)
			for x := range to.Width {
				list = append(list, int64(row*from.Width+pick(x, from.Width, to.Width)))
			}
		}
	}
	return list
}

// tapsToBins is [Bins] of the taps of the last convolution.
type tapsToBins struct {
	X             Value
	taps          int64
	planes        int
	mapping, bias int // constants; a bias may be none
}

func (o tapsToBins) Run(r *Run) torch.Tensor {
	var bias any
	if o.bias != none {
		bias = r.Tensor(o.bias)
	}
	s, x, mapping := r.Scope, r.At(o.X), r.Tensor(o.mapping)
	height, width := r.Size()
	grid := Grids(o.planes, int(height), int(width))[0]
	// Channels last is [N, planes, H*W, taps] in memory: an image whose columns are taps.
	y := s.Tensor("aten::permute", s.ChannelsLast(x), []int64{0, 2, 3, 1})
	y = s.Reshape(y, -1, int64(grid.Planes), int64(grid.Height*grid.Width), o.taps)
	y = s.Reshape(s.Tensor("aten::conv2d", y, mapping, bias), -1, s.Size(mapping, 0), int64(grid.Height), int64(grid.Width))
	return enlargeBins(s, y, int(height), int(width))
}

// cut is a part of a value by itself.
type cut struct{ Part }

func (o cut) Run(r *Run) torch.Tensor {
	return r.Scope.ChannelsLast(r.Scope.Narrow(r.At(o.X), 1, o.Start, o.Length))
}
