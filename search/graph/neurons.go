package graph

import "github.com/spikedhs/spikedhs/torch"

// Fire runs neurons over all steps (eq. 1); temperatures do not matter any more.
type Fire struct {
	X Value
	// Layer is the place of the neurons' membranes, see [Program.Layers].
	Layer int
}

// Run fires from rest, or from where the stream has left the membranes.
func (o Fire) Run(r *Run) torch.Tensor {
	x := r.At(o.X)
	if r.state == nil {
		return r.Neuron.Fire(r.Scope, x, r.sharedTemperature(x), r.Steps)
	}
	return r.Neuron.Stream(r.Scope, x, r.sharedTemperature(x), r.Steps, &r.state.layers[o.Layer])
}

// sharedTemperature is the surrogate's argument, made once.
func (p *Program) sharedTemperature(x torch.Tensor) torch.Tensor {
	if !torch.Defined(p.temperature) {
		p.temperature = p.scope.Full(p.scope.Device(x), 1, 1)
	}
	return p.temperature
}

// Rectify is max(x, 0), the analog activation.
type Rectify struct{ X Value }

// Run rectifies.
func (o Rectify) Run(r *Run) torch.Tensor { return r.Scope.ReLU(r.At(o.X)) }
