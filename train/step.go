package train

import (
	"errors"
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
)

// Precision is what run.precision means on a device: "auto" is bfloat16 or float16
// where one of them is fast, float32 elsewhere.
func Precision(name string, d torch.Device) search.Precision { return resolvePrecision(name, d) }

// NetworkStep is the training step of a network: forward pass, loss, gradients,
// clipping, optimiser. [Train] repeats it over a data set.
type NetworkStep struct {
	Network   *search.Network
	Optimizer *torch.SGD

	clip      float64
	auxiliary float64
}

// NewNetworkStep makes the step of a network on its device from the section
// [train]. The step does not own the network.
func NewNetworkStep(n *search.Network, c *config.Train) (*NetworkStep, error) {
	optimizer, err := torch.NewSGD(n.Variables().Device(), n.Variables().Parameters(), torch.SGDOptions{
		Rate: c.LR, Momentum: c.Momentum, WeightDecay: c.WeightDecay, LossScale: LossScale(n.Options.Precision),
	})
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return &NetworkStep{Network: n, Optimizer: optimizer, clip: c.Clip, auxiliary: c.AuxiliaryWeight}, nil
}

// Run takes one step on images [N, C, H, W] (normalised, float32) with labels
// [N] (int64). It returns the mean loss of the main classifier and its logits
// [N, classes], from before the step; both belong to s.
func (n *NetworkStep) Run(s *torch.Scope, images, labels torch.Tensor) (loss, logits torch.Tensor) {
	n.Optimizer.Begin(s)
	return n.Lower(s, images, labels)
}

// Lower is [NetworkStep.Run] without the optimiser's Begin: the part of a step that can
// be recorded as a CUDA graph, since it is the same each time.
func (n *NetworkStep) Lower(s *torch.Scope, images, labels torch.Tensor) (loss, logits torch.Tensor) {
	tape := search.NewTape(s)
	total, loss, logits := n.forward(search.Pass{Scope: s, Mode: torch.Train, Tape: tape}, images, labels)
	descend(s, tape, total, n.Network.Variables(), n.Optimizer, n.clip)
	return loss, logits
}

// forward computes the loss that training lowers, of it that of the main
// classifier, and its logits.
func (n *NetworkStep) forward(p search.Pass, images, labels torch.Tensor) (total, loss, logits torch.Tensor) {
	s := p.Scope
	out := n.Network.Forward(p, images)
	loss = s.CrossEntropy(out.Logits, labels)
	total = loss
	if n.Network.Options.Auxiliary {
		total = s.Add(loss, s.Scale(s.CrossEntropy(out.Auxiliary, labels), n.auxiliary))
	}
	return total, loss, out.Logits
}

// Close frees the optimiser's state.
func (n *NetworkStep) Close() error { return n.Optimizer.Close() }

// Supernet is the network of a search: [search.Supernet], or [search.TrellisSupernet]
// where layers are searched too.
type Supernet interface {
	Forward(p search.Pass, images torch.Tensor) search.Output
	Weights() *torch.Variables
	Architecture() *torch.Variables
	Alphas() (normal, reduction [][]float64, err error)
	Decode(name string) (genotype.Genotype, error)
	Precision() search.Precision
	Close() error
}

// SupernetStep are the two steps of a search, each with its own optimiser: of
// the network weights w, and of the architecture weights alpha. [Search]
// alternates them.
type SupernetStep struct {
	Supernet Supernet
	Weights  Optimizer
	Alphas   *torch.Adam

	clip float64 // of the gradients of w
}

// NewSupernetStep makes the steps of a supernet on its device from the section
// [search]. They do not own the supernet.
func NewSupernetStep(n Supernet, c *config.Search) (*SupernetStep, error) {
	weights, alphas, err := searchOptimizers(n.Weights(), n.Architecture(), c, n.Precision())
	if err != nil {
		return nil, err
	}
	return &SupernetStep{Supernet: n, Weights: weights, Alphas: alphas, clip: c.Clip}, nil
}

// RunWeights takes one step of w; arguments and results are those of
// [NetworkStep.Run].
func (n *SupernetStep) RunWeights(s *torch.Scope, images, labels torch.Tensor) (loss, logits torch.Tensor) {
	n.Weights.Begin(s)
	return n.LowerByWeights(s, images, labels)
}

// RunAlphas takes one step of the architecture: alpha, and beta where there is one.
func (n *SupernetStep) RunAlphas(s *torch.Scope, images, labels torch.Tensor) (loss, logits torch.Tensor) {
	n.Alphas.Begin(s)
	return n.LowerByAlphas(s, images, labels)
}

// LowerByWeights is [SupernetStep.RunWeights] without the optimiser's Begin, the part
// that can be recorded.
func (n *SupernetStep) LowerByWeights(s *torch.Scope, images, labels torch.Tensor) (loss, logits torch.Tensor) {
	return n.lower(s, images, labels, n.Supernet.Weights(), n.Weights, n.clip)
}

// LowerByAlphas is [SupernetStep.RunAlphas] without the optimiser's Begin.
func (n *SupernetStep) LowerByAlphas(s *torch.Scope, images, labels torch.Tensor) (loss, logits torch.Tensor) {
	return n.lower(s, images, labels, n.Supernet.Architecture(), n.Alphas, 0)
}

// lower lowers the loss of a batch by the given variables alone.
func (n *SupernetStep) lower(s *torch.Scope, images, labels torch.Tensor, v *torch.Variables, o torch.Optimizer, clip float64) (loss, logits torch.Tensor) {
	tape := search.NewTape(s)
	out := n.Supernet.Forward(search.Pass{Scope: s, Mode: torch.Train, Tape: tape}, images)
	loss = s.CrossEntropy(out.Logits, labels)
	descend(s, tape, loss, v, o, clip)
	return loss, out.Logits
}

// Close frees the state of both optimisers.
func (n *SupernetStep) Close() error { return errors.Join(n.Weights.Close(), n.Alphas.Close()) }

// descend steps along the gradient of the loss of a taped pass, clipped to a norm
// unless clip is 0.
func descend(s *torch.Scope, tape *search.Tape, loss torch.Tensor, v *torch.Variables, o torch.Optimizer, clip float64) {
	gradients := tape.GradientOf(s, o.LossScale().Scale(s, loss), torch.Tensors(v.Parameters()))
	o.LossScale().Unscale(s, gradients)
	if clip > 0 {
		s.ClipGradients(gradients, clip)
	}
	o.Apply(s, gradients)
}
