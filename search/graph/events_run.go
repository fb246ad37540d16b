package graph

import (
	"fmt"

	"github.com/spikedhs/spikedhs/torch"
)

// eventMachine runs the event-driven form once.
type eventMachine struct {
	Run
	packed []torch.Tensor // by slot
	// counts are the spikes that entered each drive of the layer that ran last.
	counts torch.Tensor
}

// keep stores a result that outlives the step.
func (m *eventMachine) keep(to slot, t torch.Tensor) { m.packed[to] = m.Scope.Return(t) }

func (m *eventMachine) pieces(list []piece) (tensors []torch.Tensor, channels []int64) {
	for _, p := range list {
		tensors = append(tensors, m.packed[p.slot])
		channels = append(channels, int64(p.channels))
	}
	return tensors, channels
}

// plain is an instruction of the plain list on dense tensors.
type plain struct {
	to Value
	Op
}

func (p plain) reads() []slot { return nil }

func (p plain) run(m *eventMachine) {
	i, ok := p.Op.(rowwise)
	if !ok {
		m.values[p.to] = m.Scope.Return(p.Op.Run(&m.Run))
		return
	}
	s := m.Scope
	x := m.At(i.source())
	rows := make([]torch.Tensor, s.Size(x, 0))
	for k := range rows {
		rows[k] = i.row(&m.Run, s.Narrow(x, 0, k, 1))
	}
	m.values[p.to] = s.Return(i.finish(&m.Run, s.Cat(rows, 0)))
}

// rowwise is an instruction whose rounding would depend on how many images it is
// given, because libtorch's libraries choose their algorithms by that. The
// event-driven form gives it one row at a time: its part is small, the stem and the
// classifier.
type rowwise interface {
	source() Value
	// row computes one row of the first dimension, finish what follows all of them.
	row(m *Run, x torch.Tensor) torch.Tensor
	finish(m *Run, y torch.Tensor) torch.Tensor
}

var (
	_ rowwise = Conv{}
	_ rowwise = Classify{}
)

// steadyFire are neurons that get one current at all steps.
type steadyFire struct {
	from Value
	to   piece
}

func (f *steadyFire) reads() []slot { return nil }

func (f *steadyFire) run(m *eventMachine) {
	m.keep(f.to.slot, m.Scope.Tensor("spikedhs::spike_fire", m.At(f.from), m.Neuron.Tau, m.Neuron.Threshold, m.Steps))
}

// layer are neurons with all that drives them.
type layer struct {
	drives []drive
	bias   torch.Tensor
	to     []piece
	// The operator's arguments.
	sources          []slot
	weights          []torch.Tensor
	kernels, strides []int64
	channels         []int64
}

func (l *layer) reads() []slot { return l.sources }

func (l *layer) run(m *eventMachine) {
	sources := make([]torch.Tensor, len(l.sources))
	for i, from := range l.sources {
		sources[i] = m.packed[from]
	}
	results := m.Scope.Call("spikedhs::spike_layer", sources, l.weights, l.kernels, l.strides, l.bias, l.channels,
		m.Neuron.Tau, m.Neuron.Threshold, m.Steps)
	if m.Scope.Err() != nil {
		return
	}
	for i, t := range results[0].([]torch.Tensor) {
		m.keep(l.to[i].slot, t)
	}
	m.counts = m.Scope.Return(results[1].(torch.Tensor))
}

// resize is a nearest interpolation.
type resize struct {
	from slot
	to   piece
	grid func(m *Run, height, width int64) (int64, int64) // of the result, from that of the slot
}

func (r *resize) reads() []slot { return []slot{r.from} }

func (r *resize) run(m *eventMachine) {
	x := m.packed[r.from]
	h, w := r.grid(&m.Run, m.Scope.Size(x, 1), m.Scope.Size(x, 2))
	m.keep(r.to.slot, m.Scope.Tensor("spikedhs::spike_resize", x, h, w))
}

// rate is the mean over space, back to a dense tensor.
type rate struct {
	from []piece
	to   Value
}

func (r *rate) reads() []slot {
	var list []slot
	for _, p := range r.from {
		list = append(list, p.slot)
	}
	return list
}

func (r *rate) run(m *eventMachine) {
	tensors, channels := m.pieces(r.from)
	m.values[r.to] = m.Scope.Return(m.Scope.Tensor("spikedhs::spike_rates", tensors, channels))
}

// run computes logits as [Program.Run] does.
func (e *events) run(p *Program, s *torch.Scope, inputs []torch.Tensor) torch.Tensor {
	inner := s.WithoutGradient()
	defer inner.Close()
	m := &eventMachine{
		Run:    Run{Program: p, Steps: p.Steps, inputs: inputs, values: make([]torch.Tensor, len(p.nodes))},
		packed: make([]torch.Tensor, len(e.channels)),
	}
	if p.census != nil {
		p.census.starting()
	}
	for i, step := range e.list {
		scope := inner.Child()
		m.Scope = scope
		step.run(m)
		if scope.Close() != nil {
			inner.Blame(fmt.Sprintf("event-driven program, step %d", i), nil)
			return torch.Tensor{}
		}
		if p.census != nil {
			p.census.packed(inner, step, m)
		}
		switch first := step.(type) {
		case *steadyFire:
			inner.Free(m.values[first.from])
		case *packedFire:
			inner.Free(m.values[first.from])
		}
		for _, from := range step.reads() {
			if e.last[from] == i {
				if p.census != nil {
					p.census.leaving(inner, from, m)
				}
				inner.Free(m.packed[from])
			}
		}
	}
	logits := m.values[len(m.values)-1]
	if p.census != nil {
		p.census.ran(inner, logits, false)
	}
	return inner.Return(logits)
}

// packedFire are neurons with a dense current that differs from step to step.
type packedFire struct {
	from Value
	to   slot
}

func (f *packedFire) reads() []slot { return nil }

func (f *packedFire) run(m *eventMachine) {
	spikes := Fire{X: f.from}.Run(&m.Run)
	m.keep(f.to, m.Scope.Tensor("spikedhs::spike_pack", spikes))
}
