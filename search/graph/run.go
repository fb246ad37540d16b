package graph

import (
	"fmt"

	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// Run is one run of a program: what an operation asks while it computes.
type Run struct {
	*Program
	// Scope is that of the node that runs.
	Scope *torch.Scope
	// Steps is T of the inputs.
	Steps int
	// Owner has the values, Pass is that of [Graph.Forward]: of a network that trains.
	Owner *torch.Scope
	Pass  any

	inputs []torch.Tensor
	values []torch.Tensor
	parts  map[Value][]torch.Tensor // of values that are read so
	state  *State                   // nil: from rest
	half   *half                    // nil: all is float32
	watch  func(*torch.Scope, Value, torch.Tensor)
}

// State are the membranes of a program between two steps of a stream. The zero value is a
// network at rest. Streams that run side by side need a State each.
type State struct{ layers []spike.State }

// Reset puts all neurons to rest and frees their membranes.
func (m *State) Reset() {
	for i := range m.layers {
		m.layers[i].Reset()
	}
}

// Membranes are the potentials v = u (1 - y) of all layers in the order of
// [Program.Layers], none at rest. They belong to the state. On a device, layers of one
// cell that fire at once have one, side by side in the place of the first.
func (m *State) Membranes() []torch.Tensor {
	var list []torch.Tensor
	for i := range m.layers {
		if v := m.layers[i].Membrane(); torch.Defined(v) {
			list = append(list, v)
		}
	}
	return list
}

// At is the tensor of a value.
func (r *Run) At(v Value) torch.Tensor {
	if i, ok := v.input(); ok {
		return r.inputs[i]
	}
	return r.values[v]
}

// All are the tensors of a list of values.
func (r *Run) All(list []Value) []torch.Tensor {
	tensors := make([]torch.Tensor, len(list))
	for i, v := range list {
		tensors[i] = r.At(v)
	}
	return tensors
}

// Size is the height and width of the inputs, [..., H, W].
func (r *Run) Size() (height, width int64) {
	shape := r.Scope.Shape(r.inputs[0])
	if len(shape) < 2 {
		return 0, 0 // the run has failed, and says so
	}
	return shape[len(shape)-2], shape[len(shape)-1]
}

// Settings are how a program is run; the zero value is a window from rest in float32.
type Settings struct {
	// Steps is T of the inputs, [Spec].Steps by default.
	Steps int
	// State makes the inputs the next piece of a stream: the membranes are left there.
	State *State
	// Type is the element type of the convolutions behind the first: 0 for float32, or one
	// of 16 bits, in which spikes are exact and weights have 8 (bfloat16) or 11 bits.
	// Membranes and results are float32 always.
	Type int8
	// Watch is called with what each node has made, before it goes; tensors that are made
	// in s go with the node. Forms that make no tensor of a value do not show it.
	Watch func(s *torch.Scope, v Value, x torch.Tensor)
}

// Run computes the program's last value from its inputs: logits [N, classes] from images
// [N, C, H, W], float32 in 0..1 at the data set's own size, or from stacks
// [N, T, C, H, W] where the program is [Program.Temporal]; cost from two views. Every
// tensor goes as soon as nobody reads it.
func (p *Program) Run(s *torch.Scope, inputs ...torch.Tensor) torch.Tensor {
	return p.RunWith(s, Settings{}, inputs...)
}

// RunWith is [Program.Run] under settings.
func (p *Program) RunWith(s *torch.Scope, o Settings, inputs ...torch.Tensor) torch.Tensor {
	return p.run(s, o, p.census, inputs)
}

// run counts spikes in c, unless that is nil.
func (p *Program) run(s *torch.Scope, o Settings, c *census, inputs []torch.Tensor) torch.Tensor {
	inner := s.WithoutGradient()
	defer inner.Close()
	r := &Run{Program: p, inputs: inputs, Steps: o.Steps, state: o.State, watch: o.Watch}
	if r.Steps == 0 {
		r.Steps = p.Steps
	}
	if m := o.State; m != nil && len(m.layers) != len(p.layers) {
		m.Reset()
		m.layers = make([]spike.State, len(p.layers))
	}
	l := &p.list
	if p.compact != nil && c == nil && o.Watch == nil {
		l = p.compact
	}
	if o.Type != 0 {
		r.half = p.inShort(l, o.Type)
	}
	return inner.Return(r.all(inner, l, c))
}

// all runs a list and gives the last value.
func (r *Run) all(s *torch.Scope, l *list, c *census) torch.Tensor {
	r.values = make([]torch.Tensor, len(l.nodes))
	for i, n := range l.nodes {
		v := Value(i)
		step := s.Child()
		r.Scope = step
		if r.half == nil {
			r.values[v] = step.Return(n.Op.Run(r))
		} else {
			r.values[v] = step.Return(r.half.makes(r, l, v))
		}
		if c != nil {
			c.dense(step, v, r.values[v])
		}
		if r.watch != nil && torch.Defined(r.values[v]) {
			r.watch(step, v, r.values[v])
		}
		if step.Close() != nil {
			s.Blame(fmt.Sprintf("program, instruction %d", i), nil)
			return torch.Tensor{}
		}
		if r.half.waits(v) {
			continue // the parts are still to be read
		}
		r.leave(s, l, i)
		if i > 0 && r.half.waits(v-1) {
			r.leave(s, l, i-1)
		}
	}
	result := r.values[len(r.values)-1]
	if c != nil {
		c.ran(s, result, true)
	}
	return result
}

// leave frees what node i was the last to read.
func (r *Run) leave(s *torch.Scope, l *list, i int) {
	for _, v := range l.reads[i] {
		if v >= 0 && l.last[v] == i {
			s.Free(r.values[v])
		}
	}
}
