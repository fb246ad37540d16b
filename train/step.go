package train

import (
	"errors"
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
)

// Optimizer is an optimiser that is freed when the training ends.
type Optimizer interface {
	torch.Optimizer
	Close() error
}

// Step lowers the loss of a model by some of its variables: forward pass, loss,
// gradients, clipping, optimiser. [Train] and [Search] repeat it over a data set.
type Step struct {
	Optimizer Optimizer

	model     task.Model
	variables *torch.Variables
	clip      float64 // norm that gradients are clipped to, 0 for none
}

// NewNetworkStep makes the step of a network on its device. The step does not own the
// network.
func NewNetworkStep(n task.Network, c *config.Learning) (*Step, error) {
	return newWeightsStep(n, n.Variables(), c)
}

// newWeightsStep lowers the loss of a model by its weights.
func newWeightsStep(n task.Model, v *torch.Variables, c *config.Learning) (*Step, error) {
	o, err := newOptimizer(v, c, LossScale(n.Precision()))
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return &Step{Optimizer: o, model: n, variables: v, clip: c.Clip}, nil
}

// newOptimizer makes the optimiser of a configuration. Adam has no momentum to set.
func newOptimizer(v *torch.Variables, c *config.Learning, lossScale float64) (Optimizer, error) {
	if c.Optimizer == "adam" {
		return torch.NewAdam(v.Device(), v.Parameters(), torch.AdamOptions{Rate: c.LR, WeightDecay: c.WeightDecay, LossScale: lossScale})
	}
	return torch.NewSGD(v.Device(), v.Parameters(), torch.SGDOptions{
		Rate: c.LR, Momentum: c.Momentum, WeightDecay: c.WeightDecay, LossScale: lossScale,
	})
}

// Run takes one step on a batch. It returns the mean loss and what the model says, from
// before the step; both belong to s.
func (d *Step) Run(s *torch.Scope, x task.Tensors) (loss, output torch.Tensor) {
	d.Optimizer.Begin(s)
	return d.Lower(s, x)
}

// Lower is [Step.Run] without the optimiser's Begin: the part of a step that can be
// recorded as a CUDA graph, since it is the same each time.
func (d *Step) Lower(s *torch.Scope, x task.Tensors) (loss, output torch.Tensor) {
	tape := search.NewTape(s)
	total, loss, output := d.model.Loss(search.Pass{Scope: s, Mode: torch.Train, Tape: tape}, x)
	gradients := tape.GradientOf(s, d.Optimizer.LossScale().Scale(s, total), torch.Tensors(d.variables.Parameters()))
	d.Optimizer.LossScale().Unscale(s, gradients)
	if d.clip > 0 {
		s.ClipGradients(gradients, d.clip)
	}
	d.Optimizer.Apply(s, gradients)
	return loss, output
}

// Close frees the optimiser's state.
func (d *Step) Close() error { return d.Optimizer.Close() }

// SupernetStep are the two steps of a search, each with its own optimiser: of the network
// weights w, and of the architecture, which is alpha, and beta where there is one.
// [Search] alternates them.
type SupernetStep struct{ Weights, Architecture *Step }

// NewSupernetStep makes the steps of a supernet on its device from the section [search].
// They do not own the supernet.
func NewSupernetStep(n task.Supernet, c *config.Search) (*SupernetStep, error) {
	weights, err := newWeightsStep(n, n.Weights(), &c.Learning)
	if err != nil {
		return nil, err
	}
	v := n.Architecture()
	architecture, err := torch.NewAdam(v.Device(), v.Parameters(), torch.AdamOptions{
		Rate: c.AlphaLR, Beta1: c.AlphaBeta1, Beta2: c.AlphaBeta2, WeightDecay: c.AlphaWeightDecay, LossScale: LossScale(n.Precision()),
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("train: %w", err), weights.Close())
	}
	return &SupernetStep{Weights: weights, Architecture: &Step{Optimizer: architecture, model: n, variables: v}}, nil
}

// Close frees the state of both optimisers.
func (n *SupernetStep) Close() error { return errors.Join(n.Weights.Close(), n.Architecture.Close()) }
