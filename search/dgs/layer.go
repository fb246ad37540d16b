package dgs

import (
	"fmt"

	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// Tensor is a libtorch tensor.
type Tensor = torch.Tensor

// Part is a tensor or some rows of one (along its first dimension).
type Part struct {
	// Of is the tensor; of parameters, the leaf that requires a gradient.
	Of Tensor
	// First and Count are the rows; Count 0 is the whole tensor.
	First, Count int
}

// rows cuts the part out of t, which is Of or a tensor of its shape.
func (p Part) rows(s *torch.Scope, t Tensor) Tensor {
	if p.Count == 0 || !torch.Defined(t) {
		return t
	}
	return s.Narrow(t, 0, p.First, p.Count)
}

// Layer is a layer of neurons whose surrogate can be searched: neurons, and the
// weights that make their input current.
type Layer struct {
	// Name tells the layer apart, such as "cell5.node0". Patterns pick layers by it.
	Name string
	// Neuron are the constants of the neurons, their surrogate's family included.
	Neuron spike.LIF
	// Temperature is the parameter of the surrogate: of shape [1], or one for each
	// channel. A search moves all its numbers alike.
	Temperature Part
	// Steps is T; inputs and currents have the time folded into their first
	// dimension, time slowest.
	Steps int
	// Parameters are the weights that the current is made of and that a candidate's
	// step changes. A tensor that several layers read in full is none of them.
	Parameters []Part
	// Current computes the input current [T*N, C, ...] from weights, which stand
	// for Parameters, and inputs, those of Forward. It must depend on nothing else
	// that requires a gradient, and change nothing: a normalisation takes the
	// statistics of the batch and leaves the running ones alone.
	Current func(s *torch.Scope, weights []Tensor, inputs ...Tensor) Tensor

	mixture *mixture
	probe   *probe
}

// NewLayer makes a layer of neurons with weights of its own; parameters are
// leaves. See [Layer] for current.
func NewLayer(name string, n *spike.Neurons, steps int, parameters []Tensor, current func(s *torch.Scope, weights []Tensor, inputs ...Tensor) Tensor) *Layer {
	l := &Layer{Name: name, Neuron: n.LIF, Temperature: Part{Of: n.Temperature}, Steps: steps, Current: current}
	for _, p := range parameters {
		l.Parameters = append(l.Parameters, Part{Of: p})
	}
	return l
}

// Active tells whether a search has hold of the layer, so that its pass must go
// through Forward. A network that always calls Forward need not ask.
func (l *Layer) Active() bool { return l.mixture != nil || l.probe != nil }

// Forward computes the spikes of the layer: with its own weights, or with those
// that a search has given it.
func (l *Layer) Forward(s *torch.Scope, inputs ...Tensor) Tensor {
	defer s.Blame(l.Name, s.Err())
	c := s.Child()
	defer c.Close()
	if l.mixture != nil {
		return c.Return(l.mixture.forward(c, l, inputs))
	}
	current := l.Current(c, l.weights(c), inputs...)
	spikes := l.fire(c, current)
	if l.probe != nil {
		return l.probe.keep(c, l, inputs, current, spikes)
	}
	return c.Return(spikes)
}

// weights are the parameters as Current takes them.
func (l *Layer) weights(s *torch.Scope) []Tensor {
	list := make([]Tensor, len(l.Parameters))
	for i, p := range l.Parameters {
		list[i] = p.rows(s, p.Of)
	}
	return list
}

func (l *Layer) fire(s *torch.Scope, current Tensor) Tensor {
	return l.Neuron.Fire(s, current, l.Temperature.rows(s, l.Temperature.Of), l.Steps)
}

// leaves are the tensors whose gradients hold those of the parameters.
func (l *Layer) leaves() []Tensor {
	list := make([]Tensor, len(l.Parameters))
	for i, p := range l.Parameters {
		list[i] = p.Of
	}
	return list
}

// gradients cuts the parameters' gradients out of those of leaves. A parameter
// without influence has none.
func (l *Layer) gradients(s *torch.Scope, ofLeaves []Tensor) []Tensor {
	list := make([]Tensor, len(l.Parameters))
	for i, p := range l.Parameters {
		if i < len(ofLeaves) { // none after a failure
			list[i] = p.rows(s, ofLeaves[i])
		}
	}
	return list
}

// TemperatureValue is the mean of the layer's temperatures.
func (l *Layer) TemperatureValue() (float64, error) {
	s := torch.NewInference()
	b := s.Item(s.Mean(l.Temperature.rows(s, l.Temperature.Of)))
	if err := s.Close(); err != nil {
		return 0, fmt.Errorf("dgs: temperature of %s: %w", l.Name, err)
	}
	return b, nil
}

// probe looks on while a layer computes as always. It keeps, in a scope of its
// own, what a look at the layer afterwards needs.
type probe struct {
	scope   *torch.Scope
	calls   int
	inputs  []Tensor // without history
	current Tensor   // without history
	spikes  Tensor   // on the way to the loss
}

// keep returns spikes as a tensor that outlives the pass and lies on the way to
// the loss.
func (p *probe) keep(s *torch.Scope, l *Layer, inputs []Tensor, current, spikes Tensor) Tensor {
	if s.Err() != nil {
		return Tensor{}
	}
	p.calls++
	p.inputs = nil
	for _, x := range inputs {
		p.inputs = append(p.inputs, p.scope.Detach(x))
	}
	p.current = p.scope.Detach(current)
	p.spikes = p.scope.Tensor("aten::alias", spikes)
	s.Fail(p.scope.Err())
	return p.spikes
}

// reached fails s where no pass went through the layer.
func (l *Layer) reached(s *torch.Scope, calls int) {
	if calls == 0 && s.Err() == nil {
		s.Fail(fmt.Errorf("dgs: no forward pass went through layer %s; call its Forward in the network", l.Name))
	}
}

// watch probes layers during work and gives their probes.
func watch(s *torch.Scope, layers []*Layer, work func()) []*probe {
	probes := make([]*probe, len(layers))
	for i, l := range layers {
		probes[i] = &probe{scope: s}
		l.probe = probes[i]
	}
	defer func() {
		for _, l := range layers {
			l.probe = nil
		}
	}()
	work()
	for i, l := range layers {
		l.reached(s, probes[i].calls)
	}
	return probes
}
