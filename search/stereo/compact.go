package stereo

import (
	"math"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
)

// compact is the form of a program for devices, where the number of kernels is what a
// step of a stream takes: the same computation by fewer operators. Sums of currents and
// of planes are added in another order, so results differ by rounding.
//
//   - Planes are stacked with their neighbours once for all that convolve them, and a value
//     is brought to a level once.
//   - Planes, rows and columns are resized by one operator.
//   - Where currents are summed, so are their biases, and one convolution adds them.
//   - The last convolution leaves its taps; what makes bins of them sums the planes as well.
type compact struct {
	list []operation
	last []int // index of the operation that reads a value last
}

// newCompact makes the form in float32 of a program.
func newCompact(p *Program) (*compact, error) {
	c := &compact{}
	biases, err := p.mergedBiases()
	if err != nil {
		return nil, err
	}
	now := make([]value, len(p.list)) // the values of the program in this form
	at := func(v value) value { return now[v] }
	stacks, resized := map[value]value{}, map[regrid]value{}
	for i, instruction := range p.list {
		switch x := instruction.(type) {
		case convolve:
			in := at(x.x)
			if x.planes > 0 && x.kernel > 1 && !x.last {
				if _, ok := stacks[in]; !ok {
					stacks[in] = c.add(stack{in, x.planes})
				}
				in = stacks[in]
			}
			conv := convolution{
				x: in, weight: p.tensors[x.weight].Value, bias: biases[value(i)], stride: x.stride, kernel: x.kernel,
				whole: x.whole, first: x.whole && x.planes == 0,
			}
			if x.last {
				conv.weight, conv.bias = p.scope.Reshape(conv.weight, x.kernel, -1, x.kernel, x.kernel), torch.Tensor{}
			}
			now[i] = c.add(conv)
		case regrid:
			x.x = at(x.x)
			if _, ok := resized[x]; !ok && x.deep {
				resized[x] = c.add(gather{x})
			} else if !ok {
				resized[x] = c.add(x)
			}
			now[i] = resized[x]
		case toBins:
			last := p.list[x.x].(convolve)
			mapping, bias := p.tapsToBins(biases[x.x])
			now[i] = c.add(tapsToBins{x: at(x.x), taps: int(last.kernel), mapping: mapping, bias: bias})
		default:
			now[i] = c.add(instruction.(movable).moved(at))
		}
	}
	return c, p.scope.Err()
}

// movable operations read other values in another list.
type movable interface {
	operation
	moved(at func(value) value) operation
}

func (i joinViews) moved(func(value) value) operation  { return i }
func (i rectify) moved(at func(value) value) operation { return rectify{at(i.x)} }
func (i volume) moved(at func(value) value) operation  { return volume{at(i.x)} }
func (i fire) moved(at func(value) value) operation    { return fire{at(i.x), i.layer} }

func (i sum) moved(at func(value) value) operation {
	var other sum
	for _, p := range i.parts {
		other.parts = append(other.parts, part{at(p.x), p.start, p.length})
	}
	return other
}

func (i concatenate) moved(at func(value) value) operation {
	var other concatenate
	for _, v := range i.list {
		other.list = append(other.list, at(v))
	}
	return other
}

func (c *compact) add(i operation) value {
	c.list, c.last = append(c.list, i), append(c.last, len(c.list))
	for _, v := range i.reads() {
		c.last[v] = len(c.list) - 1
	}
	return value(len(c.list) - 1)
}

// in16 is the form whose convolutions compute in an element type of 16 bits.
func (c *compact) in16(s *torch.Scope, dtype int8) *compact {
	other := &compact{list: append([]operation(nil), c.list...), last: c.last}
	for i, x := range other.list {
		conv, ok := x.(convolution)
		if !ok {
			continue
		}
		conv.compute = dtype
		if !conv.whole {
			conv.weight = s.Cast(conv.weight, dtype)
			if torch.Defined(conv.bias) {
				conv.bias = s.Cast(conv.bias, dtype)
			}
		}
		other.list[i] = conv
	}
	return other
}

// mergedBiases are the biases of the convolutions. The bias of a current that is summed
// with others goes to one that leads to as many sums as can be; those that are left
// without, and those that are 0, have no tensor.
func (p *Program) mergedBiases() (map[value]torch.Tensor, error) {
	s := p.scope
	biases, summed, elsewhere := map[value]torch.Tensor{}, map[value][]int{}, map[value]bool{}
	for i, instruction := range p.list {
		if c, ok := instruction.(convolve); ok {
			biases[value(i)] = p.tensors[c.bias].Value
		}
		_, sums := instruction.(sum)
		for _, v := range instruction.reads() {
			if sums {
				summed[v] = append(summed[v], i)
			} else {
				elsewhere[v] = true
			}
		}
	}
	moves := func(v value) bool { return torch.Defined(biases[v]) && len(summed[v]) > 0 && !elsewhere[v] }
	merged, served := map[value]torch.Tensor{}, map[int]bool{}
	for {
		var keeper value
		most := 0
		for v := range value(len(p.list)) {
			open := 0
			for _, i := range summed[v] {
				if moves(v) && !served[i] {
					open++
				}
			}
			if open > most {
				keeper, most = v, open
			}
		}
		if most == 0 {
			break
		}
		merged[keeper] = s.Tensor("aten::zeros_like", biases[keeper])
		for _, i := range summed[keeper] {
			if !served[i] {
				served[i] = true
				p.addBiases(merged[keeper], keeper, p.list[i].(sum), biases, moves)
			}
		}
	}
	for v, bias := range biases {
		if !moves(v) {
			merged[v] = bias
		}
		if !torch.Defined(merged[v]) {
			continue
		}
		values, err := torch.ToSlice[float32](merged[v])
		if err != nil {
			return nil, err
		}
		if !anyOf(values) {
			delete(merged, v)
		}
	}
	return merged, s.Err()
}

// addBiases adds what a sum's currents bring of biases to the part that the keeper has in
// the sum.
func (p *Program) addBiases(to torch.Tensor, keeper value, sum sum, biases map[value]torch.Tensor, moves func(value) bool) {
	s := p.scope.Child()
	defer s.Close()
	cut := func(bias torch.Tensor, x part) torch.Tensor {
		if x.length == 0 {
			return bias
		}
		return s.Narrow(bias, 0, x.start, x.length)
	}
	for _, x := range sum.parts {
		if x.x != keeper {
			continue
		}
		for _, other := range sum.parts {
			if moves(other.x) {
				s.AddTo(cut(to, x), cut(biases[other.x], other))
			}
		}
		return
	}
}

func anyOf(values []float32) bool {
	for _, v := range values {
		if v != 0 {
			return true
		}
	}
	return false
}

// tapsToBins are the weights [bins, planes*3, 1, 1] that sum the taps of the last
// convolution over the planes and interpolate the bins: tap k of plane e belongs to plane
// e-k+1. bias is that of the bins, none where the convolution has none.
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
	weights = s.Reshape(s.Stack(taps, 2), -1, int64(3*planes), 1, 1)
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
		bias = i.bias
	}
	y := s.Tensor("aten::conv2d", x, i.weight, bias, []int64{i.stride, i.stride}, []int64{i.kernel / 2, i.kernel / 2})
	if i.compute != 0 && i.first { // spikes of 16 bits from here on
		y = s.Cast(y, i.compute)
	}
	return y
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
	taps          int
	mapping, bias torch.Tensor
}

func (i tapsToBins) reads() []value { return []value{i.x} }

func (i tapsToBins) run(m *machine) torch.Tensor {
	var bias any
	if torch.Defined(i.bias) {
		bias = i.bias
	}
	return spread(m.scope, m.at(i.x), i.mapping, bias, i.taps*m.Options.Planes(), m.size[0], m.size[1])
}

// forDevice makes the forms of the program for devices.
func (p *Program) forDevice() (err error) {
	p.estimator = newEstimator(p.scope, p.scope.Device(p.constant), p.Options.Bins())
	p.compact, err = newCompact(p)
	return err
}

// form is the list to run at a precision, nil where the program runs as it is.
func (p *Program) form(precision search.Precision) *compact {
	if p.compact == nil || precision != search.BFloat16 {
		return p.compact
	}
	if p.compact16 == nil {
		p.compact16 = p.compact.in16(p.scope, torch.BFloat16)
	}
	return p.compact16
}
