package search

import "github.com/spikedhs/spikedhs/torch"

// norm is a batch normalisation over folded time: all steps share statistics,
// or each step has its own while running averages and parameters are shared.
type norm struct {
	*torch.BatchNorm
	steps int // 1: shared statistics
}

func newNorm(p torch.Path, channels int, o *Options) norm {
	n := norm{BatchNorm: torch.NewBatchNorm(p, int64(channels)), steps: 1}
	if o.PerStepNorm {
		n.steps = o.Steps
	}
	return n
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
	batch := int(s.Size(x, 0)) / n.steps
	parts := make([]torch.Tensor, n.steps)
	for t := range parts {
		parts[t] = n.Forward(s, s.Narrow(x, 0, t*batch, batch), p.Mode)
	}
	return s.Return(s.Cat(parts, 0))
}
