package graph

import "github.com/spikedhs/spikedhs/torch"

// half is a list's form for convolutions in 16 bits: the same nodes, but where [Spec].CellNodes
// asks for it, on the CPU and in bfloat16, the neurons of a node take the currents of its edges
// as they are, add them in float32, and write their spikes where the cell's output has them
// (spikedhs::cell_node), so that neither sums nor joined channels are tensors of their own.
type half struct {
	dtype     int8
	constants map[int]torch.Tensor // weights and biases, by index
	cell      bool                 // with operators of cells
	sums      map[Value]Value      // of neurons: the sum that they alone read, made just before them
	joins     map[Value]join       // of such neurons: where their spikes go besides
}

// join is a place in the result of a concatenation.
type join struct {
	to             Value
	channel, whole int // the first channel there, and how many there are
}

// inShort is the form of a list in an element type of 16 bits, made when it is first asked for.
func (p *Program) inShort(l *list, dtype int8) *half {
	key := shortKey{l, dtype}
	if p.short[key] == nil {
		p.short[key] = newHalf(p, l, dtype)
	}
	return p.short[key]
}

// shortKey is a list and the element type of its convolutions.
type shortKey struct {
	of    *list
	dtype int8
}

func newHalf(p *Program, l *list, dtype int8) *half {
	h := &half{dtype: dtype, constants: map[int]torch.Tensor{}, sums: map[Value]Value{}, joins: map[Value]join{}}
	for _, n := range l.nodes {
		weight, bias, ok := shortened(n.Op)
		if !ok {
			continue
		}
		h.constants[weight] = p.scope.ChannelsLast(p.scope.Cast(p.Tensor(weight), dtype))
		if bias != none {
			h.constants[bias] = p.scope.Cast(p.Tensor(bias), dtype)
		}
	}
	if !p.CellNodes || dtype != torch.BFloat16 || !p.onCPU() || !torch.CPUKernels("cell") {
		return h
	}
	h.cell = true
	shapes := l.shapes(p, []Shape{{}})
	for i, n := range l.nodes {
		switch o := n.Op.(type) {
		case Fire:
			if l.adds(Value(i), o) {
				h.sums[Value(i)] = o.X
			}
		case Concat:
			h.join(shapes, Value(i), o)
		}
	}
	return h
}

// shortened are the constants of a convolution that computes in 16 bits.
func shortened(o Op) (weight, bias int, ok bool) {
	switch o := o.(type) {
	case Conv:
		return o.Weight, o.Bias, !o.Whole
	case stackedConv:
		return o.Weight, o.Bias, !o.Whole
	}
	return 0, 0, false
}

// adds tells whether the neurons v read a sum that was made just before them, for
// them alone.
func (l *list) adds(v Value, neurons Fire) bool {
	if neurons.X != v-1 || neurons.X < 0 || l.last[neurons.X] != int(v) {
		return false
	}
	_, ok := l.nodes[neurons.X].Op.(Sum)
	return ok
}

// join notes where the neurons write that a concatenation joins, if it joins
// nothing but neurons that add for themselves, each of them here alone.
func (h *half) join(shapes func(Value) Shape, to Value, c Concat) {
	places := map[Value]join{}
	channel := 0
	for _, v := range c.List {
		_, adds := h.sums[v]
		_, taken := h.joins[v]
		_, twice := places[v]
		width := shapes(v).Channels
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
func (h *half) makes(r *Run, l *list, v Value) torch.Tensor {
	if sum, ok := h.sums[v]; ok {
		return h.node(r, v, l.nodes[sum].Op.(Sum).Parts)
	}
	if h.waits(v) {
		return torch.Tensor{}
	}
	if torch.Defined(r.values[v]) {
		return r.values[v]
	}
	return l.nodes[v].Op.Run(r)
}

// waits tells whether v is a sum that is left to the neurons that follow it.
func (h *half) waits(v Value) bool {
	if h == nil {
		return false
	}
	sum, ok := h.sums[v+1]
	return ok && sum == v
}

// node runs the neurons v on the parts of their sum.
func (h *half) node(r *Run, v Value, parts []Part) torch.Tensor {
	s := r.Scope
	tensors := make([]torch.Tensor, len(parts))
	starts := make([]int64, len(parts))
	for k, p := range parts {
		tensors[k], starts[k] = r.At(p.X), int64(p.Start)
	}
	width := parts[0].Length
	if width == 0 {
		width = int(s.Size(tensors[0], 1))
	}
	var joined any
	place := h.joins[v]
	if place.whole > 0 && torch.Defined(r.values[place.to]) {
		joined = r.values[place.to]
	}
	results := s.Call("spikedhs::cell_node", tensors, starts, width, r.Neuron.Tau, r.Neuron.Threshold, r.Steps,
		joined, place.whole, place.channel)
	if len(results) != 2 {
		return torch.Tensor{} // the run has failed, and says so
	}
	if place.whole > 0 && joined == nil {
		r.values[place.to], _ = results[1].(torch.Tensor)
		s.Return(r.values[place.to])
	}
	return results[0].(torch.Tensor)
}
