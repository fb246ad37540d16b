package stereo

import (
	"fmt"
	"strings"

	"github.com/spikedhs/spikedhs/torch"
)

func (v value) name() string { return fmt.Sprintf("v%d", int(v)) }

func (p *Program) attribute(i int) string { return "self." + p.tensors[i].Name }

// joinViews puts both views into one batch and fills them up with zeros.
type joinViews struct{}

func (joinViews) reads() []value { return nil }

func (joinViews) run(m *machine) torch.Tensor { return prepare(m.scope, m.left, m.right, m.steps) }

func (joinViews) text(*Program) string { return "self.join(left, right, g)" }

// convolve is a folded convolution; with planes depth lies in the batch.
type convolve struct {
	x              value
	weight, bias   int
	kernel, stride int64
	planes         int
	whole          bool // float32 always: it reads the stacks, or makes the cost
	// last: one channel is made of many planes. Each tap of the depth then is a channel
	// of its own, summed over the planes afterwards, which takes a fraction of the
	// memory of planes that carry their neighbours.
	last bool
}

func (i convolve) reads() []value { return []value{i.x} }

func (i convolve) run(m *machine) torch.Tensor {
	s, x := m.scope, m.at(i.x)
	weight, bias := m.tensors[i.weight].Value, m.tensors[i.bias].Value
	if m.half != nil {
		if i.whole {
			x = s.Cast(x, torch.Float32)
		} else {
			weight, bias = m.half.constants[i.weight], m.half.constants[i.bias]
		}
	}
	if i.last {
		taps := s.Reshape(weight, i.kernel, -1, i.kernel, i.kernel)
		y := s.Tensor("aten::conv2d", x, taps, nil, []int64{1, 1}, []int64{i.kernel / 2, i.kernel / 2})
		return s.Add(depthSum(s, y, i.planes), bias)
	}
	if i.planes > 0 && i.kernel > 1 {
		return i.deep(s, x, weight, bias)
	}
	y := s.Tensor("aten::conv2d", x, weight, bias, []int64{i.stride, i.stride}, []int64{i.kernel / 2, i.kernel / 2})
	if m.half != nil && i.planes == 0 && i.whole { // the first: spikes of 16 bits from here on
		y = s.Cast(y, m.half.dtype)
	}
	return y
}

// stackElements are the numbers of planes with their neighbours that are convolved at
// once: of a whole volume these would be the peak of a stream's memory.
const stackElements = 4 << 20

// deep is the convolution over three dimensions. On a CPU one sequence is worked
// through in runs of planes; a GPU is faster with all of them.
func (i convolve) deep(s *torch.Scope, x, weight, bias torch.Tensor) torch.Tensor {
	conv := func(s *torch.Scope, x torch.Tensor) torch.Tensor {
		return s.Tensor("aten::conv2d", x, weight, bias, []int64{1, 1}, []int64{i.kernel / 2, i.kernel / 2})
	}
	run := planesAtOnce(s.Shape(x), i.planes)
	if run >= i.planes || s.Device(x) != torch.CPU() {
		return conv(s, s.Tensor("spikedhs::depth_stack", x, i.planes))
	}
	var parts []torch.Tensor
	for first := 0; first < i.planes; first += run {
		inner := s.Child()
		n := min(run, i.planes-first)
		from, to := max(0, first-1), min(i.planes, first+n+1)
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

func (i convolve) text(p *Program) string {
	x := i.x.name()
	if i.last {
		taps := fmt.Sprintf("torch.reshape(%s, [%d, -1, %d, %d])", p.attribute(i.weight), i.kernel, i.kernel, i.kernel)
		return fmt.Sprintf("self.depth_sum(torch.conv2d(%s, %s, None, [1, 1], [%d, %d]), %d) + %s", x,
			taps, i.kernel/2, i.kernel/2, i.planes, p.attribute(i.bias))
	}
	if i.planes > 0 && i.kernel > 1 {
		x = fmt.Sprintf("self.depth_stack(%s, %d)", x, i.planes)
	}
	return fmt.Sprintf("torch.conv2d(%s, %s, %s, [%d, %d], [%d, %d])", x,
		p.attribute(i.weight), p.attribute(i.bias), i.stride, i.stride, i.kernel/2, i.kernel/2)
}

// fire runs neurons over the steps; their temperatures do not matter any more.
type fire struct {
	x     value
	layer int
}

func (i fire) reads() []value { return []value{i.x} }

func (i fire) run(m *machine) torch.Tensor {
	neuron := m.Options.Neuron
	if m.state == nil {
		return neuron.Fire(m.scope, m.at(i.x), m.constant, m.steps)
	}
	return neuron.Stream(m.scope, m.at(i.x), m.constant, m.steps, &m.state.layers[i.layer])
}

func (i fire) text(*Program) string {
	return fmt.Sprintf("self.fire(%s, state[%d], after)", i.x.name(), i.layer)
}

// rectify is the analog activation of stems.
type rectify struct{ x value }

func (i rectify) reads() []value { return []value{i.x} }

func (i rectify) run(m *machine) torch.Tensor { return m.scope.ReLU(m.at(i.x)) }

func (i rectify) text(*Program) string { return fmt.Sprintf("torch.relu(%s)", i.x.name()) }

// part is a range of channels of a value; length 0 is all of it.
type part struct {
	x             value
	start, length int
}

// sum adds parts from left to right.
type sum struct{ parts []part }

func (i sum) reads() []value {
	var list []value
	for _, p := range i.parts {
		list = append(list, p.x)
	}
	return list
}

func (i sum) run(m *machine) torch.Tensor {
	var total torch.Tensor
	for k, p := range i.parts {
		x := m.at(p.x)
		if p.length > 0 {
			x = m.scope.Narrow(x, 1, p.start, p.length)
		}
		if k == 0 {
			total = x
		} else {
			total = m.scope.Add(total, x)
		}
	}
	return total
}

func (i sum) text(*Program) string {
	text := ""
	for k, p := range i.parts {
		x := p.x.name()
		if p.length > 0 {
			x = fmt.Sprintf("torch.narrow(%s, 1, %d, %d)", x, p.start, p.length)
		}
		if k == 0 {
			text = x
		} else {
			text = fmt.Sprintf("torch.add(%s, %s)", text, x)
		}
	}
	return text
}

// concatenate joins channels.
type concatenate struct{ list []value }

func (i concatenate) reads() []value { return i.list }

func (i concatenate) run(m *machine) torch.Tensor {
	tensors := make([]torch.Tensor, len(i.list))
	for k, v := range i.list {
		tensors[k] = m.at(v)
	}
	return m.scope.Cat(tensors, 1)
}

func (i concatenate) text(*Program) string {
	names := make([]string, len(i.list))
	for k, v := range i.list {
		names[k] = v.name()
	}
	return "torch.cat([" + strings.Join(names, ", ") + "], 1)"
}

// regrid is nearest interpolation from one level to another.
type regrid struct {
	x        value
	from, to int
	deep     bool
}

func (i regrid) reads() []value { return []value{i.x} }

func (i regrid) run(m *machine) torch.Tensor {
	grids := m.flat
	if i.deep {
		grids = m.deep
	}
	if grids[i.from] == grids[i.to] {
		return m.scope.Clone(m.at(i.x)) // the source goes when nobody reads it
	}
	return resize(m.scope, m.at(i.x), grids[i.from], grids[i.to])
}

func (i regrid) text(p *Program) string {
	x := i.x.name()
	planes := 0
	if i.deep {
		planes = p.Options.Planes()
	}
	from, to := planesAt(planes, i.from), planesAt(planes, i.to)
	pick := func(x string) string { return fmt.Sprintf("self.pick_planes(%s, %d, %d)", x, from, to) }
	// Depth goes where it is cheaper, as in resize.
	if to < from {
		x = pick(x)
	}
	x = fmt.Sprintf("torch.upsample_nearest2d(%s, [g[%d], g[%d]])", x, gridIndex(i.to), gridIndex(i.to)+1)
	if to > from {
		x = pick(x)
	}
	return x
}

// gridIndex is where the script keeps the height of a level; its width follows.
func gridIndex(level int) int { return 2 * (level + 1) }

// volume is the feature volume of both views.
type volume struct{ x value }

func (i volume) reads() []value { return []value{i.x} }

func (i volume) run(m *machine) torch.Tensor {
	left, right := unview(m.scope, m.at(i.x), m.steps)
	return foldedVolume(m.scope, left, right, m.Options.Planes())
}

func (i volume) text(p *Program) string {
	return fmt.Sprintf("self.volume(%s, %d)", i.x.name(), p.Options.Planes())
}

// toBins interpolates the planes to bins of disparity, and to the input's size.
type toBins struct{ x value }

func (i toBins) reads() []value { return []value{i.x} }

func (i toBins) run(m *machine) torch.Tensor {
	return spread(m.scope, m.at(i.x), m.tensors[m.mapping].Value, m.Options.Planes(), m.size[0], m.size[1])
}

func (i toBins) text(p *Program) string {
	return fmt.Sprintf("self.to_bins(%s, %d, g, left.size(2), left.size(3))", i.x.name(), p.Options.Planes())
}
