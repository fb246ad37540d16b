package search

import (
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// Membranes are the membrane potentials of a network between two passes over a
// stream: one [spike.State] for each layer of neurons. The zero value is a
// network at rest. Streams that run side by side need Membranes each.
type Membranes struct {
	// Steps is the number of time steps in each pass; 0 means one.
	Steps int

	states map[*spike.Neurons]*spike.State
}

// Reset puts all neurons to rest and frees their membranes.
func (m *Membranes) Reset() {
	for _, state := range m.states {
		state.Reset()
	}
	m.states = nil
}

// Layers is the number of layers that have a membrane now.
func (m *Membranes) Layers() int { return len(m.states) }

// of is the state of a layer of neurons.
func (m *Membranes) of(n *spike.Neurons) *spike.State {
	if m.states == nil {
		m.states = map[*spike.Neurons]*spike.State{}
	}
	state, ok := m.states[n]
	if !ok {
		state = &spike.State{}
		m.states[n] = state
	}
	return state
}

// fire runs neurons from rest, or from where the stream has left them.
func (p Pass) fire(n *spike.Neurons, current torch.Tensor, steps int) torch.Tensor {
	if p.Membranes == nil {
		return n.Forward(p.Scope, current, steps)
	}
	defer p.Scope.Blame(n.Name, p.Scope.Err())
	return n.Stream(p.Scope, current, n.Temperature, max(p.Membranes.Steps, 1), p.Membranes.of(n))
}
