package search

import "github.com/spikedhs/spikedhs/torch"

// norm is a batch normalisation over folded time: all steps share statistics,
// or each step has its own while running averages and parameters are shared.
type norm struct {
	*torch.BatchNorm
	steps int  // 1: shared statistics
	few   bool // launches: see Options.FewLaunches
	// each trains with the statistics of each step where launches count, else nil.
	each *torch.StepNorm
}

func newNorm(p torch.Path, channels int, o *Options) norm {
	n := norm{BatchNorm: torch.NewBatchNorm(p, int64(channels)), steps: 1, few: o.fewLaunches(p.Device())}
	if o.PerStepNorm {
		n.steps = o.Steps
	}
	if n.few && n.steps > 1 {
		n.each = torch.NewStepNorm(p, n.BatchNorm, channels, n.steps)
	}
	return n
}

// newNormBehind makes the normalisation of what a convolution gives.
func newNormBehind(c *torch.Conv, p torch.Path, channels int, o *Options) norm {
	n := newNorm(p, channels, o)
	n.leaveOut(c)
	return n
}

// leaveOut says that behind is called with c, which then may leave its bias out.
func (n norm) leaveOut(c *torch.Conv) {
	if n.few {
		c.LeaveBiasOut()
	}
}

// ofBatch normalises by the batch's statistics alone, with other affine parameters
// than its own; the running averages stay. It is the layer's part of a search for
// surrogates (package dgs).
func (n norm) ofBatch(s *torch.Scope, x, weight, bias torch.Tensor) torch.Tensor {
	c := s.Child()
	defer c.Close()
	parts := []torch.Tensor{x}
	if n.steps > 1 {
		parts = c.Split(x, 0, int(c.Size(x, 0))/n.steps)
	}
	for t, part := range parts {
		parts[t] = c.Tensor("aten::batch_norm", part, weight, bias, nil, nil, true, torch.BatchNormMomentum, torch.BatchNormEpsilon, false)
	}
	if len(parts) == 1 {
		return c.Return(parts[0])
	}
	return c.Return(c.Cat(parts, 0))
}

func (n norm) forward(p Pass, x torch.Tensor) torch.Tensor {
	if p.again {
		return n.ofBatch(p.Scope, x, n.Weight, n.Bias) // the running averages have seen x
	}
	if n.steps == 1 || p.Mode == torch.Evaluate {
		return n.Forward(p.Scope, x, p.Mode)
	}
	s := p.Scope.Child()
	defer s.Close()
	if n.each != nil {
		return s.Return(p.together.eachStep(s, n.each, x))
	}
	batch := int(s.Size(x, 0)) / n.steps
	parts := make([]torch.Tensor, n.steps)
	for t := range parts {
		parts[t] = n.Forward(s, s.Narrow(x, 0, t*batch, batch), p.Mode)
	}
	return s.Return(s.Cat(parts, 0))
}

// behind convolves and normalises: n(c(x)); planes is the depth that is folded into
// x, see [torch.Conv.ForwardPlanes]. Where launches count, a training pass leaves the
// bias of the convolution out, which the mean of the batch holds too and takes away
// again; the running mean takes it up.
func (n norm) behind(p Pass, c *torch.Conv, x torch.Tensor, planes int) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	conv := *c
	conv.Weight = p.together.weight(c)
	leaves := n.few && p.Mode == torch.Train && torch.Defined(c.Bias)
	if leaves {
		conv.Bias = torch.Tensor{}
	}
	if leaves {
		p.together.settle(s, n.Mean)
	}
	y := n.forward(p.in(s), conv.ForwardPlanes(s, x, planes))
	if leaves {
		p.together.shift(s, n, c.Bias)
	}
	return s.Return(y)
}
