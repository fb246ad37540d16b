package dgs

import (
	"fmt"

	"github.com/spikedhs/spikedhs/torch"
)

// Loss computes the mean loss of one batch: one number in s that the parameters
// of the layers lead to. It is called several times in an iteration and must give
// the same each time.
type Loss func(s *torch.Scope) Tensor

// Passes count what a search has computed.
type Passes struct {
	// Network are forward and backward passes through the whole network.
	Network int `json:"network"`
	// Layer are those through one layer alone.
	Layer int `json:"layer"`
}

// candidates finds the weights of all candidates of all layers: by layer,
// candidate and parameter, in s.
func (p *Phase) candidates(s *torch.Scope, loss Loss) [][][]Tensor {
	if p.options.Estimate != Repeat {
		list, shared := p.direct(s, loss)
		if !shared {
			return list
		}
	}
	list := make([][][]Tensor, len(p.layers))
	for k, l := range p.layers {
		list[k] = p.repeat(s, l, loss)
	}
	return list
}

// repeat runs the network once for each candidate of a layer; the other layers
// keep their temperatures.
func (p *Phase) repeat(s *torch.Scope, l *Layer, loss Loss) [][]Tensor {
	list := make([][]Tensor, p.options.Candidates)
	for i := range list {
		c := s.Child()
		l.shifted(c, p.options.offset(i), func() {
			list[i] = p.step(c, l, p.options.scale().gradients(c, loss(c), l.leaves()))
		})
		p.state.Passes.Network++
		c.Close()
	}
	return list
}

// direct runs the network once, for the gradient that arrives at the spikes of
// each layer, and then each layer alone for each candidate. shared tells that a
// layer was used more than once, so that this is not its gradient.
func (p *Phase) direct(s *torch.Scope, loss Loss) (list [][][]Tensor, shared bool) {
	kept := torch.NewScope()
	defer kept.Close()
	var arriving []Tensor
	probes := watch(kept, p.layers, func() {
		c := kept.Child()
		defer c.Close()
		value := loss(c)
		var spikes []Tensor
		for _, l := range p.layers {
			if shared = shared || l.probe.calls > 1; l.probe.calls == 0 {
				return
			}
			spikes = append(spikes, l.probe.spikes)
		}
		if !shared {
			for _, g := range c.GradientOf(p.options.scale().loss(c, value), spikes) { // stay scaled
				arriving = append(arriving, c.Return(g))
			}
		}
		p.state.Passes.Network++
	})
	list = make([][][]Tensor, len(p.layers))
	switch err := kept.Err(); {
	case err != nil:
		s.Fail(err)
		return list, false
	case shared && p.options.Estimate == Direct:
		s.Fail(fmt.Errorf("dgs: a layer is used more than once in a pass, where the direct estimate is wrong; take %q: %w", Repeat, ErrOptions))
		return list, false
	case shared:
		return nil, true
	}
	for k, l := range p.layers {
		list[k] = make([][]Tensor, p.options.Candidates)
		for i := range list[k] {
			c := s.Child()
			l.shifted(c, p.options.offset(i), func() {
				y := l.fire(c, l.Current(c, l.weights(c), probes[k].inputs...))
				list[k][i] = p.step(c, l, p.options.scale().unscaled(c, c.GradientOf(c.Sum(c.Mul(y, arriving[k])), l.leaves())))
			})
			p.state.Passes.Layer++
			c.Close()
		}
	}
	return list, false
}

// step is w_i = w - rate * gradient, clipped; the weights belong to the parent of s.
func (p *Phase) step(s *torch.Scope, l *Layer, ofLeaves []Tensor) []Tensor {
	c := s.WithoutGradient()
	defer c.Close()
	gradients := l.gradients(c, ofLeaves)
	if p.options.Clip > 0 {
		for i, g := range gradients { // not in place in the rows of other layers
			if torch.Defined(g) {
				gradients[i] = c.Clone(g)
			}
		}
		c.ClipGradients(gradients, p.options.Clip)
	}
	list := make([]Tensor, len(gradients))
	for i, w := range l.weights(c) {
		next := c.Detach(w)
		if torch.Defined(gradients[i]) {
			next = c.Tensor("aten::add.Tensor", next, gradients[i], torch.Named{Name: "alpha", Value: -p.options.LearningRate})
		}
		list[i] = s.Return(c.Return(next))
	}
	return list
}

// shifted moves the temperature of l during work.
func (l *Layer) shifted(s *torch.Scope, offset float64, work func()) {
	c := s.WithoutGradient()
	defer c.Close()
	b := l.Temperature.rows(c, l.Temperature.Of)
	before := c.Clone(b)
	c.CopyTo(b, c.Tensor("aten::add.Scalar", before, offset))
	if c.Err() != nil {
		return
	}
	work()
	put(b, before)
}

// put copies whatever has failed before.
func put(dst, src Tensor) {
	s := torch.NewInference()
	s.CopyTo(dst, src)
	_ = s.Close() // tensors of one shape
}
