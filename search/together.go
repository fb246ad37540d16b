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
	updates    int // of the mean in this pass
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

// shift has the running mean of n, behind a convolution without its bias, take that up.
func (t *together) shift(s *torch.Scope, n norm, bias torch.Tensor) {
	if t == nil {
		alone := &together{}
		alone.shift(s, n, bias)
		alone.done(s)
		return
	}
	for i := range t.shifts {
		if t.shifts[i].mean == n.Mean {
			t.shifts[i].updates += n.steps
			return
		}
	}
	t.shifts = append(t.shifts, shift{n.Mean, bias, n.steps})
}

// done changes the running means, all with as many updates at once: as if each update
// had seen the bias, whose share in the mean grows with them.
func (t *together) done(s *torch.Scope) {
	c := s.WithoutGradient()
	defer c.Close()
	for left := t.shifts; len(left) > 0; {
		var means, biases []torch.Tensor
		var later []shift
		updates := left[0].updates
		for _, x := range left {
			if x.updates != updates {
				later = append(later, x)
				continue
			}
			means, biases = append(means, x.mean), append(biases, x.bias)
		}
		c.ShiftMeans(means, biases, 1-math.Pow(1-torch.BatchNormMomentum, float64(updates)))
		left = later
	}
	t.shifts = nil
}
