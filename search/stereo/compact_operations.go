package stereo

import (
	"math"

	"github.com/spikedhs/spikedhs/torch"
)

// tapsToBins are the weights [bins, planes, 1, 3] that sum the taps of the last
// convolution over the planes and interpolate the bins: tap k of plane e belongs to plane
// e-k+1. ofBins is the bias of the bins, none where the convolution has none.
func (p *Program) tapsToBins(bias torch.Tensor) (weights, ofBins torch.Tensor) {
	s := p.scope.Child()
	defer s.Close()
	planes := p.Options.Planes()
	mapping := s.Reshape(p.tensors[p.mapping].Value, -1, int64(planes))
	padded := s.Tensor("aten::constant_pad_nd", mapping, []int64{1, 1})
	var taps []torch.Tensor
	for k := range 3 {
		taps = append(taps, s.Narrow(padded, 1, 2-k, planes))
	}
	weights = s.Tensor("aten::unsqueeze", s.Stack(taps, 2), 2)
	if torch.Defined(bias) {
		ofBins = s.Return(s.Mul(s.Tensor("aten::sum.dim_IntList", mapping, []int64{1}), bias))
	}
	return s.Return(weights), ofBins
}

// stack stacks planes with their neighbours.
type stack struct {
	x      value
	planes int
}

func (i stack) reads() []value { return []value{i.x} }

func (i stack) run(m *machine) torch.Tensor {
	return m.scope.Tensor("spikedhs::depth_stack", m.at(i.x), i.planes)
}

// convolution is a convolution over two dimensions, or over stacked planes.
type convolution struct {
	x              value
	weight, bias   torch.Tensor // no bias: no tensor
	kernel, stride int64
	whole, first   bool // see convolve; the first reads the stacks
	compute        int8 // 16 bits, or 0
}

func (i convolution) reads() []value { return []value{i.x} }

func (i convolution) run(m *machine) torch.Tensor {
	s, x := m.scope, m.at(i.x)
	if i.compute != 0 && i.whole {
		x = s.Cast(x, torch.Float32)
	}
	var bias any
	if torch.Defined(i.bias) {
		if i.kernel == 1 && i.stride == 1 {
			return i.multiply(s, x)
		}
		bias = i.bias
	}
	y := s.Tensor("aten::conv2d", x, i.weight, bias, []int64{i.stride, i.stride}, []int64{i.kernel / 2, i.kernel / 2})
	if i.compute != 0 && i.first { // spikes of 16 bits from here on
		y = s.Cast(y, i.compute)
	}
	return y
}

// multiply is a convolution of side 1 as the product of matrices that it is, whose kernel
// adds the bias as well.
func (i convolution) multiply(s *torch.Scope, x torch.Tensor) torch.Tensor {
	pixels := s.Tensor("aten::permute", s.ChannelsLast(x), []int64{0, 2, 3, 1})
	shape := s.Shape(pixels)
	if len(shape) != 4 {
		return torch.Tensor{}
	}
	weight := s.Tensor("aten::t", s.Reshape(i.weight, -1, shape[3]))
	y := s.Tensor("aten::addmm", i.bias, s.Reshape(pixels, -1, shape[3]), weight)
	return s.Tensor("aten::permute", s.Reshape(y, shape[0], shape[1], shape[2], -1), []int64{0, 3, 1, 2})
}

// gather is a [regrid] over three dimensions by one operator.
type gather struct{ regrid }

func (i gather) run(m *machine) torch.Tensor {
	s, x := m.scope, m.at(i.x)
	from, to := m.deep[i.from], m.deep[i.to]
	if from == to {
		return s.Clone(x) // the source goes when nobody reads it
	}
	channels := s.Size(x, 1)
	// Channels last is [N*planes, H, W, C] in memory.
	rows := s.Tensor("aten::permute", s.ChannelsLast(x), []int64{0, 2, 3, 1})
	rows = s.Reshape(rows, -1, int64(from.Planes*from.Height*from.Width), channels)
	rows = s.Tensor("aten::index_select", rows, 1, m.nearest(from, to))
	rows = s.Reshape(rows, -1, int64(to.Height), int64(to.Width), channels)
	return s.Tensor("aten::permute", rows, []int64{0, 3, 1, 2})
}

// nearest is the index of where each place of a grid comes from. The indices of the
// present size of pictures are kept, so that a stream makes each once.
func (m *machine) nearest(from, to Grid) torch.Tensor {
	p := m.Program
	if p.indexed != m.size {
		for _, index := range p.indices {
			p.scope.Free(index)
		}
		p.indices, p.indexed = map[[2]Grid]torch.Tensor{}, m.size
	}
	key := [2]Grid{from, to}
	index, ok := p.indices[key]
	if !ok {
		index = torch.Upload(p.scope, p.scope.Device(p.constant), nearestIndex(from, to), int64(to.Planes*to.Height*to.Width))
		p.indices[key] = index
	}
	return index
}

// nearestIndex lists, for every place of a grid, the nearest of another, as [resize] has it.
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

// tapsToBins is [toBins] of the taps of the last convolution.
type tapsToBins struct {
	x             value
	taps          int64
	mapping, bias torch.Tensor
}

func (i tapsToBins) reads() []value { return []value{i.x} }

func (i tapsToBins) run(m *machine) torch.Tensor {
	var bias any
	if torch.Defined(i.bias) {
		bias = i.bias
	}
	s, x, grid := m.scope, m.at(i.x), m.deep[0]
	// Channels last is [N, planes, H*W, taps] in memory: an image whose columns are taps.
	y := s.Tensor("aten::permute", s.ChannelsLast(x), []int64{0, 2, 3, 1})
	y = s.Reshape(y, -1, int64(grid.Planes), int64(grid.Height*grid.Width), i.taps)
	y = s.Reshape(s.Tensor("aten::conv2d", y, i.mapping, bias), -1, s.Size(i.mapping, 0), int64(grid.Height), int64(grid.Width))
	return enlarge(s, y, m.size[0], m.size[1])
}

// cut is a part of a value by itself.
type cut struct{ part }

func (i cut) reads() []value { return []value{i.x} }

func (i cut) run(m *machine) torch.Tensor {
	return m.scope.ChannelsLast(m.scope.Narrow(m.at(i.x), 1, i.start, i.length))
}
