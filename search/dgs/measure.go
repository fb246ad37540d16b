package dgs

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/spikedhs/spikedhs/torch"
)

// Reading is the state of a layer on one batch (Fig. 4).
type Reading struct {
	// Layer is its name, Temperature that of its surrogate (the mean).
	Layer       string
	Temperature float64
	// Gradient is the Euclidean norm of the loss's gradient for the layer's weights.
	Gradient float64
	// Support is the share of neurons, over all time steps, whose surrogate has a
	// derivative that is not 0 at their membrane potential.
	Support float64
	// Useless is the share whose derivative is below a twentieth of its peak: they
	// lie outside of the support (their gradient vanishes) or on a flat end inside
	// of it (saturated), and pass next to nothing back.
	Useless float64
	// Rate is the share of neurons that fire in a time step.
	Rate float64
}

// uselessBelow is the part of the derivative's peak below which a neuron counts as
// of no use. The peak is taken out because the learning rate can make up for it, not
// for neurons that learn nothing beside others that do.
const uselessBelow = 0.05

// Measure reads the state of layers from one forward and backward pass. Weights,
// temperatures and the tensors in kept (running statistics) stay as they are.
// lossScale is as in [Options].
func Measure(layers []*Layer, loss Loss, kept []Tensor, lossScale float64) ([]Reading, error) {
	s := torch.NewScope()
	back := keep(s, kept)
	var gradients [][]Tensor
	probes := watch(s, layers, func() {
		c := s.Child()
		defer c.Close()
		value := loss(c)
		var leaves []Tensor
		for _, l := range layers {
			leaves = append(leaves, l.leaves()...)
		}
		all := scale(lossScale).gradients(c, value, leaves)
		for _, l := range layers {
			if len(all) < len(l.Parameters) {
				return // failed
			}
			var own []Tensor
			for _, g := range l.gradients(c, all[:len(l.Parameters)]) {
				if torch.Defined(g) {
					own = append(own, c.Return(c.Clone(g)))
				}
			}
			gradients, all = append(gradients, own), all[len(l.Parameters):]
		}
	})
	back()
	var readings []Reading
	if s.Err() == nil {
		for k, l := range layers {
			readings = append(readings, l.read(s, probes[k], gradients[k]))
		}
	}
	if err := s.Close(); err != nil {
		return nil, fmt.Errorf("dgs: measure: %w", err)
	}
	return readings, nil
}

// read computes a layer's reading from its currents.
func (l *Layer) read(s *torch.Scope, p *probe, gradients []Tensor) Reading {
	c := s.WithoutGradient()
	defer c.Close()
	r := Reading{Layer: l.Name}
	r.Temperature = c.Item(c.Mean(l.Temperature.rows(c, l.Temperature.Of)))
	r.Gradient = c.Item(c.ClipGradients(gradients, 0))
	r.Rate = c.Item(c.Mean(c.Cast(p.spikes, torch.Float32)))
	potentials := l.potentials(c, widen(c, p.current))
	slope := l.slope(c, potentials)
	peak := l.slope(c, c.Tensor("aten::full_like", potentials, l.Neuron.Threshold))
	share := func(of Tensor) float64 { return c.Item(c.Mean(c.Cast(of, torch.Float32))) }
	r.Support = share(c.Tensor("aten::ne.Scalar", slope, 0.0))
	r.Useless = share(c.Tensor("aten::lt.Tensor", slope, c.Scale(peak, uselessBelow)))
	return r
}

// potentials are the membrane potentials u_t of eq. 1, before the reset.
func (l *Layer) potentials(s *torch.Scope, current Tensor) Tensor {
	if s.Err() != nil {
		return Tensor{}
	}
	steps := make([]Tensor, l.Steps)
	n := int(s.Size(current, 0)) / l.Steps
	var v Tensor
	for t := range steps {
		u := s.Narrow(current, 0, t*n, n)
		if t > 0 {
			u = s.Add(s.Scale(v, l.Neuron.Tau), u)
		}
		silent := s.CastLike(s.Tensor("aten::le.Scalar", u, l.Neuron.Threshold), u)
		steps[t], v = u, s.Mul(u, silent)
	}
	return s.Cat(steps, 0)
}

// slope is the surrogate's derivative at membrane potentials. It is asked of the
// neurons themselves, whatever their surrogate: without memory and over one step,
// the potential is the current and dy/dI the derivative.
func (l *Layer) slope(s *torch.Scope, potentials Tensor) Tensor {
	c := torch.NewScope()
	defer c.Close()
	if s.Err() != nil {
		return Tensor{}
	}
	u := c.Detach(potentials)
	c.Fail(torch.RequireGradient(u, true))
	still := l.Neuron
	still.Tau = 0
	y := still.Fire(c, u, l.Temperature.rows(c, l.Temperature.Of), 1)
	gradients := c.GradientOf(c.Sum(y), []Tensor{u})
	if err := c.Err(); err != nil {
		s.Fail(err)
		return Tensor{}
	}
	return s.Detach(gradients[0])
}

// Worst picks the n layers whose surrogate is furthest from useful on a batch:
// those with the largest [Reading].Useless, of equal ones the earlier. They come in
// the order of layers.
func Worst(layers []*Layer, readings []Reading, n int) []*Layer {
	order := make([]int, len(layers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(readings[b].Useless, readings[a].Useless) })
	order = order[:min(n, len(order))]
	slices.Sort(order)
	var list []*Layer
	for _, i := range order {
		list = append(list, layers[i])
	}
	return list
}
