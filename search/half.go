package search

import (
	"slices"

	"github.com/spikedhs/spikedhs/torch"
)

// half is a program's form for convolutions in 16 bits: the same list, but on the CPU
// and in bfloat16 the neurons of a node take the currents of its edges as they are, add them in
// float32, and write their spikes where the cell's output has them
// (spikedhs::cell_node), so that neither sums nor joined channels are tensors of
// their own.
type half struct {
	constants map[int]torch.Tensor // weights and biases, by index
	sums      map[value]value      // of neurons: the add that they alone read, made just before them
	joins     map[value]join       // of such neurons: where their spikes go besides
	dtype     int8
	cpu       bool // with operators of its own
}

// join is a place in the result of a concatenation.
type join struct {
	to             value
	channel, whole int // the first channel there, and how many there are
}

// newHalf makes the form for bfloat16 or float16.
func newHalf(p *Program, dtype int8) *half {
	h := &half{dtype: dtype, constants: map[int]torch.Tensor{}, sums: map[value]value{}, joins: map[value]join{}}
	for _, instruction := range p.list {
		if c, ok := instruction.(convolve); ok {
			h.constants[c.weight] = p.scope.ChannelsLast(p.scope.Cast(p.tensors[c.weight].Value, dtype))
			h.constants[c.bias] = p.scope.Cast(p.tensors[c.bias].Value, dtype)
		}
	}
	if dtype != torch.BFloat16 || !torch.CPUKernels("cell") || slices.ContainsFunc(p.tensors, func(t torch.Variable) bool { return torch.DeviceName(p.scope.Device(t.Value)) != "cpu" }) {
		return h
	}
	h.cpu = true
	for i, instruction := range p.list {
		switch instruction := instruction.(type) {
		case fire:
			if p.adds(value(i), instruction) {
				h.sums[value(i)] = instruction.x
			}
		case concatenate:
			h.join(p, value(i), instruction)
		}
	}
	return h
}

// adds tells whether the neurons v read a sum that was made just before them, for
// them alone.
func (p *Program) adds(v value, neurons fire) bool {
	if neurons.x != v-1 || neurons.x < 0 || p.last[neurons.x] != int(v) {
		return false
	}
	_, ok := p.list[neurons.x].(add)
	return ok
}

// channels is how many channels a value has; 0 where the list does not tell.
func (p *Program) channels(v value) int {
	if v == input {
		return 0
	}
	switch i := p.list[v].(type) {
	case convolve:
		return int(p.scope.Size(p.tensors[i.weight].Value, 0))
	case add:
		if i.parts[0].length > 0 {
			return i.parts[0].length
		}
		return p.channels(i.parts[0].x)
	case concatenate:
		sum := 0
		for _, v := range i.list {
			sum += p.channels(v)
		}
		return sum
	case fire, halve, enlarge, repeat:
		return p.channels(i.reads()[0])
	}
	return 0
}

// join notes where the neurons write that a concatenation joins, if it joins
// nothing but neurons that add for themselves, each of them here alone.
func (h *half) join(p *Program, to value, c concatenate) {
	places := map[value]join{}
	channel := 0
	for _, v := range c.list {
		_, adds := h.sums[v]
		_, taken := h.joins[v]
		_, twice := places[v]
		width := p.channels(v)
		if !adds || taken || twice || width == 0 {
			return
		}
		places[v] = join{to: to, channel: channel}
		channel += width
	}
	for v, place := range places {
		place.whole = channel
		h.joins[v] = place
	}
}

// makes computes value v: neurons from the parts of their sum, which then is no
// tensor, and no copy of what the neurons have joined.
func (h *half) makes(m *machine, v value) torch.Tensor {
	if sum, ok := h.sums[v]; ok {
		return m.node(v, m.list[sum].(add).parts)
	}
	if h.waits(v) {
		return torch.Tensor{}
	}
	if torch.Defined(m.values[v]) {
		return m.values[v]
	}
	return m.list[v].run(m)
}

// waits tells whether v is a sum that is left to the neurons that follow it.
func (h *half) waits(v value) bool {
	sum, ok := h.sums[v+1]
	return ok && sum == v
}

// node runs the neurons v on the parts of their sum.
func (m *machine) node(v value, parts []part) torch.Tensor {
	s := m.scope
	tensors := make([]torch.Tensor, len(parts))
	starts := make([]int64, len(parts))
	for k, p := range parts {
		tensors[k], starts[k] = m.at(p.x), int64(p.start)
	}
	width := parts[0].length
	if width == 0 {
		width = int(s.Size(tensors[0], 1))
	}
	var joined any
	place := m.half.joins[v]
	if place.whole > 0 && torch.Defined(m.values[place.to]) {
		joined = m.values[place.to]
	}
	results := s.Call("spikedhs::cell_node", tensors, starts, width, m.neuron.Tau, m.neuron.Threshold, m.steps,
		joined, place.whole, place.channel)
	if len(results) != 2 {
		return torch.Tensor{} // the run has failed, and says so
	}
	if place.whole > 0 && joined == nil {
		m.values[place.to], _ = results[1].(torch.Tensor)
		s.Return(m.values[place.to])
	}
	return results[0].(torch.Tensor)
}
