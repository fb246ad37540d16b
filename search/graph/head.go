package graph

import "github.com/spikedhs/spikedhs/torch"

// Pool is the mean over space, float32 [T*N, C].
type Pool struct{ X Value }

// Run pools.
func (o Pool) Run(r *Run) torch.Tensor {
	if r.half != nil {
		return r.Scope.Tensor("aten::mean.dim", r.At(o.X), []int64{2, 3}, false, torch.Named{Name: "dtype", Value: torch.Float32})
	}
	return r.Scope.GlobalAveragePool(r.At(o.X))
}

// Classify is the linear layer and the mean over the steps: logits [N, Classes].
type Classify struct {
	X            Value
	Weight, Bias int
	Classes      int
}

// Run classifies.
func (o Classify) Run(r *Run) torch.Tensor { return o.finish(r, o.row(r, r.At(o.X))) }

func (o Classify) source() Value { return o.X }

func (o Classify) row(r *Run, x torch.Tensor) torch.Tensor {
	return r.Scope.Tensor("aten::linear", x, r.Tensor(o.Weight), r.Tensor(o.Bias))
}

func (o Classify) finish(r *Run, y torch.Tensor) torch.Tensor {
	return MeanOverSteps(r.Scope, y, r.Steps)
}

// MeanOverSteps turns [T*N, K] into [N, K].
func MeanOverSteps(s *torch.Scope, y torch.Tensor, steps int) torch.Tensor {
	return s.MeanOver(s.Reshape(y, int64(steps), -1, s.Size(y, 1)), 0)
}
