package search

import (
	"fmt"
	"strings"

	"github.com/spikedhs/spikedhs/torch"
)

// prepare pads and normalises images and puts channels last.
type prepare struct {
	x               value
	pad             int
	mean, deviation int // constants of shape [1, C, 1, 1]
}

func (i prepare) reads() []value { return []value{i.x} }

func (i prepare) run(m *machine) torch.Tensor {
	s := m.scope
	x := m.at(i.x)
	if i.pad > 0 {
		n := int64(i.pad)
		x = s.Tensor("aten::constant_pad_nd", x, []int64{n, n, n, n}, 0.0)
	}
	x = s.Tensor("aten::div.Tensor", s.Sub(x, m.tensors[i.mean].Value), m.tensors[i.deviation].Value)
	return s.ChannelsLast(x)
}

func (i prepare) text(p *Program) string {
	x := i.x.name()
	if i.pad > 0 {
		x = fmt.Sprintf("torch.constant_pad_nd(%s, [%d, %d, %d, %d], 0.0)", x, i.pad, i.pad, i.pad, i.pad)
	}
	return fmt.Sprintf("torch.contiguous(torch.div(torch.sub(%s, %s), %s), memory_format=2)",
		x, p.attribute(i.mean), p.attribute(i.deviation))
}

// convolve is a folded convolution.
type convolve struct {
	x            value
	weight, bias int
	stride, pad  int64
}

func (i convolve) reads() []value { return []value{i.x} }

func (i convolve) source() value { return i.x }

func (i convolve) run(m *machine) torch.Tensor { return i.row(m, m.at(i.x)) }

func (i convolve) finish(_ *machine, y torch.Tensor) torch.Tensor { return y }

func (i convolve) row(m *machine, x torch.Tensor) torch.Tensor {
	weight, bias := m.tensors[i.weight].Value, m.tensors[i.bias].Value
	stride, pad := []int64{i.stride, i.stride}, []int64{i.pad, i.pad}
	if m.half == nil {
		return m.scope.Tensor("aten::conv2d", x, weight, bias, stride, pad)
	}
	if m.readsImage(i) {
		return m.scope.Cast(m.scope.Tensor("aten::conv2d", x, weight, bias, stride, pad), m.half.dtype)
	}
	weight, bias = m.half.constants[i.weight], m.half.constants[i.bias]
	if m.half.cpu {
		return m.scope.Tensor("spikedhs::conv_forward", x, weight, bias, i.stride, pad)
	}
	return m.scope.Tensor("aten::conv2d", x, weight, bias, stride, pad)
}

func (i convolve) text(p *Program) string {
	return fmt.Sprintf("torch.conv2d(%s, %s, %s, [%d, %d], [%d, %d])", i.x.name(),
		p.attribute(i.weight), p.attribute(i.bias), i.stride, i.stride, i.pad, i.pad)
}

// fire runs the neurons over all steps; temperatures do not matter any more.
type fire struct{ x value }

func (i fire) reads() []value { return []value{i.x} }

func (i fire) run(m *machine) torch.Tensor {
	return m.neuron.Fire(m.scope, m.at(i.x), m.scope.Full(m.scope.Device(m.at(i.x)), 1, 1), m.steps)
}

func (i fire) text(*Program) string { return fmt.Sprintf("self.fire(%s)", i.x.name()) }

// rectify is the analog activation.
type rectify struct{ x value }

func (i rectify) reads() []value { return []value{i.x} }

func (i rectify) run(m *machine) torch.Tensor { return m.scope.ReLU(m.at(i.x)) }

func (i rectify) text(*Program) string { return fmt.Sprintf("torch.relu(%s)", i.x.name()) }

// repeat presents a value at every step.
type repeat struct{ x value }

func (i repeat) reads() []value { return []value{i.x} }

func (i repeat) run(m *machine) torch.Tensor { return m.scope.RepeatFirst(m.at(i.x), m.steps) }

func (i repeat) text(p *Program) string {
	copies := make([]string, p.steps)
	for t := range copies {
		copies[t] = i.x.name()
	}
	return "torch.cat([" + strings.Join(copies, ", ") + "], 0)"
}

// part is a range of channels of a value; length 0 is all of it.
type part struct {
	x             value
	start, length int
}

func (i part) tensor(m *machine) torch.Tensor {
	if i.length == 0 {
		return m.at(i.x)
	}
	return m.scope.Narrow(m.at(i.x), 1, i.start, i.length)
}

func (i part) name() string {
	if i.length == 0 {
		return i.x.name()
	}
	return fmt.Sprintf("torch.narrow(%s, 1, %d, %d)", i.x.name(), i.start, i.length)
}

// add sums parts from left to right.
type add struct{ parts []part }

func (i add) reads() []value {
	var list []value
	for _, p := range i.parts {
		list = append(list, p.x)
	}
	return list
}

func (i add) run(m *machine) torch.Tensor {
	var sum torch.Tensor
	for _, p := range i.parts {
		sum = addTo(m.scope, sum, p.tensor(m))
	}
	return sum
}

func (i add) text(*Program) string {
	text := i.parts[0].name()
	for _, p := range i.parts[1:] {
		text = fmt.Sprintf("torch.add(%s, %s)", text, p.name())
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

// halve shrinks the grid by two, as often as told, with one nearest
// interpolation.
type halve struct {
	x     value
	times int
}

func (i halve) reads() []value { return []value{i.x} }

func (i halve) run(m *machine) torch.Tensor { return shrink(m.scope, m.at(i.x), i.times) }

// grid is the result's, from that of x.
func (i halve) grid(_ *machine, height, width int64) (int64, int64) {
	return halved(height, i.times), halved(width, i.times)
}

func (i halve) text(*Program) string {
	x := i.x.name()
	h, w := x+".size(2)", x+".size(3)"
	for range i.times {
		h, w = "("+h+" + 1) // 2", "("+w+" + 1) // 2"
	}
	return fmt.Sprintf("torch.upsample_nearest2d(%s, [%s, %s])", x, h, w)
}

// pool is the mean over space.
type pool struct{ x value }

func (i pool) reads() []value { return []value{i.x} }

func (i pool) run(m *machine) torch.Tensor {
	if m.half != nil {
		return m.scope.Tensor("aten::mean.dim", m.at(i.x), []int64{2, 3}, false, torch.Named{Name: "dtype", Value: torch.Float32})
	}
	return m.scope.GlobalAveragePool(m.at(i.x))
}

func (i pool) text(*Program) string { return fmt.Sprintf("torch.mean(%s, [2, 3])", i.x.name()) }

// classify is the folded linear layer and the mean over the steps.
type classify struct {
	x            value
	weight, bias int
	classes      int
}

func (i classify) reads() []value { return []value{i.x} }

func (i classify) source() value { return i.x }

func (i classify) run(m *machine) torch.Tensor { return i.finish(m, i.row(m, m.at(i.x))) }

func (i classify) row(m *machine, x torch.Tensor) torch.Tensor {
	return m.scope.Tensor("aten::linear", x, m.tensors[i.weight].Value, m.tensors[i.bias].Value)
}

func (i classify) finish(m *machine, y torch.Tensor) torch.Tensor {
	return meanOverSteps(m.scope, y, m.steps)
}

func (i classify) text(p *Program) string {
	return fmt.Sprintf("torch.mean(torch.reshape(torch.linear(%s, %s, %s), [%d, -1, %d]), [0])",
		i.x.name(), p.attribute(i.weight), p.attribute(i.bias), p.steps, i.classes)
}
