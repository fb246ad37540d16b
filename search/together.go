package search

import (
	"math"

	"github.com/spikedhs/spikedhs/torch"
)

// together is what a pass does once for all layers of a network, where each layer
// would launch kernels of its own. The nil pointer does everything layer by layer.
type together struct {
	weights map[*torch.Conv]torch.Tensor // in the type that they compute in
	shifts  []shift
}

// shift is a bias that a running mean has to take up.
type shift struct {
	mean, bias torch.Tensor
	share      float64 // of the bias, after as many updates as the pass made
}

// fewLaunches tells whether what is made on a device takes the form that launches few
// kernels.
func (o *Options) fewLaunches(d torch.Device) bool { return o.FewLaunches || torch.IsCUDA(d) }

// Together prepares a pass over a whole network with the variables v: on a device
// the weights of all convolutions are cast at once to the type that they compute in,
// and so are the running means changed, when the pass is over and the caller calls
// done. Without it the layers do the same one by one. On the CPU it changes nothing.
func (o *Options) Together(p Pass, v *torch.Variables) (of Pass, done func()) {
	if !o.fewLaunches(v.Device()) {
		return p, func() {}
	}
	t := &together{weights: map[*torch.Conv]torch.Tensor{}}
	t.cast(p.Scope, v.Convolutions())
	p.together = t
	return p, func() { t.done(p.Scope) }
}

// cast fills weights.
func (t *together) cast(s *torch.Scope, all []*torch.Conv) {
	byType := map[int8][]*torch.Conv{}
	for _, c := range all {
		if dtype := c.Options.Compute; dtype != 0 {
			byType[dtype] = append(byType[dtype], c)
		}
	}
	for dtype, list := range byType {
		weights := make([]torch.Tensor, len(list))
		for i, c := range list {
			weights[i] = c.Weight
		}
		for i, weight := range s.CastTogether(weights, dtype) {
			t.weights[list[i]] = weight
		}
	}
}

// weight is that of a convolution, cast where it was cast before.
func (t *together) weight(c *torch.Conv) torch.Tensor {
	if t != nil {
		if weight, ok := t.weights[c]; ok {
			return weight
		}
	}
	return c.Weight
}

// shift makes the running mean of n what it would be behind a convolution with bias:
// each of its updates leaves a share of the bias there.
func (t *together) shift(s *torch.Scope, n norm, bias torch.Tensor) {
	one := &together{shifts: []shift{{n.Mean, bias, 1 - math.Pow(1-torch.BatchNormMomentum, float64(n.steps))}}}
	if t == nil {
		one.done(s)
		return
	}
	t.shifts = append(t.shifts, one.shifts...)
}

// done changes the running means, all that take the same share at once. A mean that
// was updated more than once is changed as often.
func (t *together) done(s *torch.Scope) {
	c := s.WithoutGradient()
	defer c.Close()
	for left := t.shifts; len(left) > 0; {
		var means, biases []torch.Tensor
		var later []shift
		share := left[0].share
		taken := map[torch.Tensor]bool{}
		for _, x := range left {
			if x.share != share || taken[x.mean] {
				later = append(later, x)
				continue
			}
			taken[x.mean] = true
			means, biases = append(means, x.mean), append(biases, x.bias)
		}
		c.ShiftMeans(means, biases, share)
		left = later
	}
	t.shifts = nil
}
