package train

import (
	"errors"
	"fmt"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	criterion "github.com/spikedhs/spikedhs/train/stereo"
)

// StereoStep is the training step of a stereo network: forward pass, loss of every
// time step behind the burn-in, gradients, clipping, optimiser.
type StereoStep struct {
	Network   *stereo.Network
	Optimizer Optimizer

	loss stereoLoss
	clip float64
}

// NewStereoStep makes the step of a network on its device from the sections
// [stereo] and [train]. The step does not own the network.
func NewStereoStep(n *stereo.Network, c *config.Config) (*StereoStep, error) {
	o, err := newOptimizer(c.Stereo.Optimizer, n.Variables(), torch.SGDOptions{
		Rate: c.Train.LR, Momentum: c.Train.Momentum, WeightDecay: c.Train.WeightDecay,
		LossScale: LossScale(n.Options.Precision),
	})
	if err != nil {
		return nil, err
	}
	return &StereoStep{Network: n, Optimizer: o, loss: newStereoLoss(c, n.Options.Steps), clip: c.Train.Clip}, nil
}

// Run takes one step on stacks of both views, [T*N, C, H, W] with time slowest, and
// disparities in pixels, [T*N, H, W], +Inf for none. It returns the mean loss and the
// cost of all time steps, from before the step; both belong to s.
func (n *StereoStep) Run(s *torch.Scope, left, right, labels torch.Tensor) (loss, cost torch.Tensor) {
	n.Optimizer.Begin(s)
	tape := search.NewTape(s)
	loss, cost = n.forward(search.Pass{Scope: s, Mode: torch.Train, Tape: tape}, stereoBatch{left, right, labels})
	descend(s, tape, loss, n.Network.Variables(), n.Optimizer, n.clip)
	return loss, cost
}

func (n *StereoStep) forward(p search.Pass, b stereoBatch) (loss, cost torch.Tensor) {
	cost = n.Network.Forward(p, b.left, b.right)
	return n.loss.of(p.Scope, cost, b.labels), cost
}

// Close frees the optimiser's state.
func (n *StereoStep) Close() error { return n.Optimizer.Close() }

// StereoSupernetStep are the two steps of a stereo search, each with its own
// optimiser: of the network weights w, and of alpha and beta of both subnets.
type StereoSupernetStep struct {
	Supernet     *stereo.Supernet
	Weights      Optimizer
	Architecture *torch.Adam

	loss stereoLoss
	clip float64 // of the gradients of w
}

// NewStereoSupernetStep makes the steps of a supernet on its device from the
// sections [stereo] and [search]. They do not own the supernet.
func NewStereoSupernetStep(n *stereo.Supernet, c *config.Config) (*StereoSupernetStep, error) {
	weights, architecture, err := searchOptimizers(n.Weights(), n.Architecture(), &c.Search, n.Options.Precision)
	if err != nil {
		return nil, err
	}
	return &StereoSupernetStep{Supernet: n, Weights: weights, Architecture: architecture, loss: newStereoLoss(c, n.Options.Steps), clip: c.Search.Clip}, nil
}

// RunWeights takes one step of w; arguments and results are those of
// [StereoStep.Run].
func (n *StereoSupernetStep) RunWeights(s *torch.Scope, left, right, labels torch.Tensor) (loss, cost torch.Tensor) {
	n.Weights.Begin(s)
	return n.LowerByWeights(s, left, right, labels)
}

// RunArchitecture takes one step of alpha and beta.
func (n *StereoSupernetStep) RunArchitecture(s *torch.Scope, left, right, labels torch.Tensor) (loss, cost torch.Tensor) {
	n.Architecture.Begin(s)
	return n.LowerByArchitecture(s, left, right, labels)
}

// LowerByWeights is [StereoSupernetStep.RunWeights] without the optimiser's Begin, the
// part that can be recorded.
func (n *StereoSupernetStep) LowerByWeights(s *torch.Scope, left, right, labels torch.Tensor) (loss, cost torch.Tensor) {
	return n.lower(s, stereoBatch{left, right, labels}, n.Supernet.Weights(), n.Weights, n.clip)
}

// LowerByArchitecture is [StereoSupernetStep.RunArchitecture] without the optimiser's
// Begin.
func (n *StereoSupernetStep) LowerByArchitecture(s *torch.Scope, left, right, labels torch.Tensor) (loss, cost torch.Tensor) {
	return n.lower(s, stereoBatch{left, right, labels}, n.Supernet.Architecture(), n.Architecture, 0)
}

// lower lowers the loss of a batch by the given variables alone.
func (n *StereoSupernetStep) lower(s *torch.Scope, b stereoBatch, v *torch.Variables, o torch.Optimizer, clip float64) (loss, cost torch.Tensor) {
	tape := search.NewTape(s)
	cost = n.Supernet.Forward(search.Pass{Scope: s, Mode: torch.Train, Tape: tape}, b.left, b.right)
	loss = n.loss.of(s, cost, b.labels)
	descend(s, tape, loss, v, o, clip)
	return loss, cost
}

// Close frees the state of both optimisers.
func (n *StereoSupernetStep) Close() error {
	return errors.Join(n.Weights.Close(), n.Architecture.Close())
}

// stereoLoss is the loss of the time steps behind the burn-in.
type stereoLoss struct {
	steps, burnIn int
	diversity     float64
}

// newStereoLoss; a search may have fewer steps than the training and keeps at least
// the last.
func newStereoLoss(c *config.Config, steps int) stereoLoss {
	return stereoLoss{steps: steps, burnIn: min(c.Stereo.BurnIn, steps-1), diversity: c.Stereo.Diversity}
}

func (l stereoLoss) of(s *torch.Scope, cost, labels torch.Tensor) torch.Tensor {
	if l.burnIn == 0 {
		return criterion.Loss(s, cost, labels, l.diversity)
	}
	c := s.Child()
	defer c.Close()
	first := int(c.Size(cost, 0)) / l.steps * l.burnIn
	left := int(c.Size(cost, 0)) - first
	return c.Return(criterion.Loss(c, c.Narrow(cost, 0, first, left), c.Narrow(labels, 0, first, left), l.diversity))
}

// stereoStage repeats a step on the batches of a loader.
type stereoStage struct {
	device torch.Device
	meter  *meter
	run    func(s *torch.Scope, left, right, labels torch.Tensor) (loss, cost torch.Tensor)
}

func (g *stereoStage) step(s *torch.Scope, b *data.Batch) error {
	on := stereoToDevice(s, g.device, b)
	loss, cost := g.run(s, on.left, on.right, on.labels)
	g.meter.count(b.N)
	g.meter.addDisparity(s, loss, cost, on.labels, b.N)
	return s.Err()
}

// addDisparity sums the mean loss of a batch and the share of pixels whose disparity
// is within 1 px at the last time step, on the device.
func (m *meter) addDisparity(s *torch.Scope, loss, cost, labels torch.Tensor, n int) {
	c := s.WithoutGradient()
	defer c.Close()
	rows := int(c.Size(cost, 0))
	last := c.Narrow(labels, 0, rows-n, n)
	distance := c.Tensor("aten::abs", c.Sub(stereo.Estimate(c, c.Narrow(c.Detach(cost), 0, rows-n, n)), last))
	right := c.Sum(c.Cast(c.Tensor("aten::le.Scalar", distance, 1.0), torch.Float32))
	valid := c.Tensor("aten::clamp_min", c.Sum(c.Cast(c.Tensor("aten::isfinite", last), torch.Float32)), 1)
	weight := torch.Named{Name: "alpha", Value: float64(n)}
	c.Tensor("aten::add_.Tensor", m.correct, c.Tensor("aten::div.Tensor", right, valid), weight)
	c.Tensor("aten::add_.Tensor", m.loss, c.Detach(loss), weight)
}

// stereoWords says what a meter of disparities read.
func stereoWords(r reading) string {
	return fmt.Sprintf("loss %.4f, 1PA %.2f %%", r.meanLoss(), r.top1())
}
