package torch

// StepNorm is a [BatchNorm] that trains with the statistics of each time step, by a few
// launches for all steps: the steps are channels of one normalisation. It is for
// devices where a launch costs more than its work.
type StepNorm struct {
	*BatchNorm
	// Steps is T.
	Steps int

	mean, variance Tensor // of every step of the last batch, [T*channels]
}

// NewStepNorm makes that of a normalisation below p.
func NewStepNorm(p Path, b *BatchNorm, channels, steps int) *StepNorm {
	v := p.variables
	n := &StepNorm{BatchNorm: b, Steps: steps}
	n.mean = v.scope.Zeros(v.device, int64(steps*channels))
	n.variance = v.scope.Zeros(v.device, int64(steps*channels))
	v.stepNorms = append(v.stepNorms, n)
	return n
}

// StepNorms lists the normalisations of steps whose parameters are among v, in order of
// creation.
func (v *Variables) StepNorms() []*StepNorm { return v.stepNorms }

// Train normalises x [T*N, C] or [T*N, C, H, W]. weight and bias are the affine
// parameters of every step (see [Scope.TileTogether]). The running statistics stay until
// [Scope.MoveStatistics], which must come before the next call.
func (n *StepNorm) Train(s *Scope, x, weight, bias Tensor) Tensor {
	defer s.Blame(n.name, s.Err())
	return s.Tensor("spikedhs::step_norm", x, weight, bias, n.mean, n.variance, n.Steps, BatchNormEpsilon)
}

// TileTogether repeats each tensor [C] for all steps, [T*C]. Forward takes as many
// launches as for one, backward as many as there are steps.
func (s *Scope) TileTogether(list []Tensor, steps int) []Tensor {
	if len(list) == 0 {
		return nil
	}
	return s.list("spikedhs::tile_together", list, steps)
}

// MoveStatistics moves the running statistics of normalisations of the same number of
// steps as if the steps of their last batches came one after the other. It may stand
// between the forward and the backward pass. No normalisation may be twice in the list.
func (s *Scope) MoveStatistics(list []*StepNorm) {
	if len(list) == 0 {
		return
	}
	var running, ofSteps []Tensor
	for _, n := range list {
		running = append(running, n.Mean, n.Variance)
		ofSteps = append(ofSteps, n.mean, n.variance)
	}
	s.Call("spikedhs::move_statistics", running, ofSteps, list[0].Steps, BatchNormMomentum)
}
