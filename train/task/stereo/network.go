package stereo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	data "github.com/spikedhs/spikedhs/data/stereo"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	criterion "github.com/spikedhs/spikedhs/train/stereo"
	"github.com/spikedhs/spikedhs/train/stereo/stream"
	"github.com/spikedhs/spikedhs/train/task"
)

// Network is the network of a genotype with its loss.
type Network struct {
	*stereo.Network
	losses
	problem *problem // nil where there are no data
}

// NewNetwork builds a network with fresh weights; c has what its loss is made of.
func NewNetwork(d torch.Device, g genotype.Genotype, c *config.Config, o stereo.Options) (*Network, error) {
	n, err := stereo.NewNetwork(d, g, o)
	if err != nil {
		return nil, err
	}
	return &Network{Network: n, losses: newLosses(c, n.Options, n.Forward)}, nil
}

// Identity names what the weights depend on.
func (n *Network) Identity() string {
	o := n.Options
	return fmt.Sprintf("stereo genotype %s, f=%d, disparities up to %d px, stems %s, head %s, %d bins of events",
		n.Genotype.Hash(), o.Width, o.MaxDisparity, o.Stems, o.Head, o.Channels)
}

// losses is the loss of the time steps behind the burn-in, and what is right.
type losses struct {
	forward       func(p search.Pass, left, right torch.Tensor) torch.Tensor
	precision     search.Precision
	steps, burnIn int
	diversity     float64
}

// newLosses; a search may have fewer steps than the training and keeps at least the
// last.
func newLosses(c *config.Config, o stereo.Options, forward func(p search.Pass, left, right torch.Tensor) torch.Tensor) losses {
	return losses{forward: forward, precision: o.Precision, steps: o.Steps, burnIn: min(c.Stereo.BurnIn, o.Steps-1), diversity: c.Stereo.Diversity}
}

// Precision is the type of the convolutions.
func (l losses) Precision() search.Precision { return l.precision }

// Loss is that of every time step behind the burn-in; the output is the cost of all time
// steps.
func (l losses) Loss(p search.Pass, x task.Tensors) (total, loss, output torch.Tensor) {
	cost := l.forward(p, x.Inputs[0], x.Inputs[1])
	loss = l.of(p.Scope, cost, x.Target)
	return loss, loss, cost
}

func (l losses) of(s *torch.Scope, cost, labels torch.Tensor) torch.Tensor {
	if l.burnIn == 0 {
		return criterion.Loss(s, cost, labels, l.diversity)
	}
	c := s.Child()
	defer c.Close()
	first := int(c.Size(cost, 0)) / l.steps * l.burnIn
	left := int(c.Size(cost, 0)) - first
	return c.Return(criterion.Loss(c, c.Narrow(cost, 0, first, left), c.Narrow(labels, 0, first, left), l.diversity))
}

// Right is the share of pixels whose disparity is within 1 px at the last time step; it
// counts once for each window.
func (losses) Right(s *torch.Scope, cost torch.Tensor, x task.Tensors) (torch.Tensor, float64) {
	rows := int(s.Size(cost, 0))
	last := s.Narrow(x.Target, 0, rows-x.N, x.N)
	distance := s.Tensor("aten::abs", s.Sub(stereo.Estimate(s, s.Narrow(s.Detach(cost), 0, rows-x.N, x.N)), last))
	right := s.Sum(s.Cast(s.Tensor("aten::le.Scalar", distance, 1.0), torch.Float32))
	valid := s.Tensor("aten::clamp_min", s.Sum(s.Cast(s.Tensor("aten::isfinite", last), torch.Float32)), 1)
	return s.Tensor("aten::div.Tensor", right, valid), float64(x.N)
}

// Views of the network as data have the size of those of MVSEC.
const (
	viewHeight = 260
	viewWidth  = 346
)

// Graph is the network over two views of a camera of 346x260 pixels.
func (Task) Graph(c *config.Config, g genotype.Genotype, folded bool) (graph.Table, error) {
	n, err := stereo.NewNetwork(torch.CPU(), g, TrainOptions(c, eventBins, search.Float32))
	if err != nil {
		return graph.Table{}, err
	}
	defer n.Close()
	return n.Table(viewHeight, viewWidth, folded)
}

// TrainOptions are the options of the stereo network that a configuration
// trains on stacks of so many bins.
func TrainOptions(c *config.Config, channels int, p search.Precision) stereo.Options {
	o := options(c, channels, p)
	o.Width, o.Mixing, o.Stem = c.Train.Width, search.Mixing(c.Train.Mixing), search.StemSpike
	return o
}

// SearchOptions are the options of the stereo supernet that a configuration
// searches.
func SearchOptions(c *config.Config, channels int, p search.Precision) stereo.Options {
	o := options(c, channels, p)
	o.Width, o.Mixing, o.Deviation = c.Search.Width, search.Mixing(c.Search.Mixing), c.Search.AlphaInit
	o.TrellisLevels, o.Candidates = c.Search.TrellisLevels, c.Search.Candidates()
	o.Stem = search.StemReLU
	if c.Search.Stem == "dspike" {
		o.Stem = search.StemSpike
	}
	o.Steps = searchSteps(c)
	return o
}

// searchSteps is T of the supernet.
func searchSteps(c *config.Config) int { return cmp.Or(c.Search.Steps, c.Stereo.Steps) }

// options are those that search and training share.
func options(c *config.Config, channels int, p search.Precision) stereo.Options {
	return stereo.Options{
		Channels: channels, MaxDisparity: c.Stereo.MaxDisparity, Steps: c.Stereo.Steps, Precision: p,
		Neuron:      spike.LIF{Tau: c.Network.Tau, Threshold: c.Network.Threshold, Surrogate: spike.Surrogate(c.Network.Surrogate)},
		Temperature: c.Network.Temperature,
		Stems:       stereo.Stems(c.Stereo.Stems), Head: stereo.Head(c.Stereo.Head),
		SharedNorm: c.Stereo.BN == "folded", Recompute: c.Run.Recompute,
	}
}

// Model folds the network, with the cameras of its data where these are at hand.
func (n *Network) Model(version string, score *float64) (*stream.Model, error) {
	path := n.problem.c.Data.Path
	about := stream.About{Version: version, Dataset: filepath.Base(path), Validation: score}
	if set, err := data.Open(path, data.Options{Cache: "none", Memory: -1}); err == nil {
		about.Rig = set.Rig()
	}
	return stream.New(n.Network, about)
}

// Export writes an archive that can be stepped; see [task.Network].
func (n *Network) Export(path, version string, score *float64) error {
	m, err := n.Model(version, score)
	if err != nil {
		return err
	}
	return errors.Join(m.Export(path), m.Close())
}

// Takes says what the archive takes and gives.
func (n *Network) Takes() string {
	return fmt.Sprintf("step(left, right, state) takes float32 [N, %d, H, W] twice, gives disparity and state", n.Options.Channels)
}

// Check compares on a window of made-up events; see [task.Network].
func (n *Network) Check(_ context.Context, path string, _ int) (task.Agreement, error) {
	m, err := n.Model("", nil)
	if err != nil {
		return nil, err
	}
	a, err := m.Check(path)
	return a, errors.Join(err, m.Close())
}

// Supernet is the network of a search with its loss.
type Supernet struct {
	*stereo.Supernet
	losses
	identity string
}

// NewSupernet builds the supernet of a configuration.
func NewSupernet(d torch.Device, c *config.Config, o stereo.Options) (*Supernet, error) {
	n, err := stereo.NewSupernet(d, c.Stereo.FeatureLayers, c.Stereo.MatchingLayers, o)
	if err != nil {
		return nil, err
	}
	return &Supernet{n, newLosses(c, n.Options, n.Forward), fmt.Sprintf(
		"stereo supernet of %d and %d layers, f=%d, disparities up to %d px, stems %s, head %s, %d bins of events",
		c.Stereo.FeatureLayers, c.Stereo.MatchingLayers, o.Width, o.MaxDisparity, o.Stems, o.Head, o.Channels)}, nil
}

// Identity names what the weights depend on.
func (n *Supernet) Identity() string { return n.identity }

// View decodes cells and paths. Entropies are means over both subnets as a share of the
// maximum: 1 is undecided, 0 decided.
func (n *Supernet) View(name, origin string) (task.View, error) {
	g, err := n.Decode(name)
	if err != nil {
		return task.View{}, err
	}
	g.Origin = origin
	feature, matching, err := n.Read()
	if err != nil {
		return task.View{}, err
	}
	alpha, beta := 0.0, 0.0
	skips := (genotype.SkipShare(g.Subnet(stereo.Feature).Cell) + genotype.SkipShare(g.Subnet(stereo.Matching).Cell)) / 2
	for _, subnet := range []stereo.Architecture{feature, matching} {
		_, share, err := genotype.Entropy(subnet.Alpha, n.Options.Candidates...)
		if err != nil {
			return task.View{}, fmt.Errorf("train: %w", err)
		}
		alpha += share / 2
		if share, err = task.BetaEntropy(subnet.Space, subnet.Beta); err != nil {
			return task.View{}, err
		}
		beta += share / 2
	}
	return task.View{
		Genotype: g,
		Fields: []run.Field{
			run.F("alpha_entropy", alpha), run.F("beta_entropy", beta), run.F("skip_share", skips),
			run.F("genotype", g.Hash()), run.F("feature_path", g.Subnet(stereo.Feature).Path), run.F("matching_path", g.Subnet(stereo.Matching).Path),
			run.F("alpha_feature", feature.Alpha), run.F("alpha_matching", matching.Alpha),
			run.F("beta_feature", feature.Beta), run.F("beta_matching", matching.Beta),
			run.F("feature", g.Subnet(stereo.Feature).Cell.Equations()), run.F("matching", g.Subnet(stereo.Matching).Cell.Equations()),
		},
		Scalars: []task.Scalar{{Tag: "alpha_entropy", Value: alpha}, {Tag: "beta_entropy", Value: beta}, {Tag: "skip_share", Value: skips}},
		Skips:   skips,
		Words:   fmt.Sprintf("entropy of alpha %.3f, of beta %.3f, paths %v and %v", alpha, beta, g.Subnet(stereo.Feature).Path, g.Subnet(stereo.Matching).Path),
	}, nil
}
