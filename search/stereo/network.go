package stereo

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

// Network is the stereo network SpikeDHS-Stereo of a genotype.
type Network struct {
	Options  Options
	Genotype genotype.Genotype

	variables *torch.Variables
	feature   *subnet
	project   *search.ConvBlock // last_3 of the feature network
	matching  *subnet
	head      *head
}

// Names of the two subnets of a genotype: over the two views, and over the volume of
// their features.
const (
	Feature  = "feature"
	Matching = "matching"
)

// NewNetwork builds the network of a genotype on a device, with fresh weights
// from libtorch's random numbers (see torch.Seed). Options that are zero take
// their defaults.
func NewNetwork(d torch.Device, g genotype.Genotype, options Options) (*Network, error) {
	o := options.WithDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("stereo: %w", err)
	}
	if !g.Has(Feature, Matching) {
		return nil, fmt.Errorf("stereo: genotype %s has no subnets %s and %s; give one of a search of stereo: %w", g.Name, Feature, Matching, ErrOptions)
	}
	feature, matching := g.Subnet(Feature), g.Subnet(Matching)
	if feature.Cell.Nodes != inputNodes || matching.Cell.Nodes != inputNodes {
		return nil, fmt.Errorf("stereo: cells of %d and %d nodes; the levels' widths ask for %d: %w",
			feature.Cell.Nodes, matching.Cell.Nodes, inputNodes, ErrOptions)
	}
	n := &Network{Options: o, Genotype: g, variables: torch.NewVariables(d)}
	root := n.variables.Root()
	at := root.Sub("feature")
	n.feature = newSubnet(at, featureStems(at, &o), 0, feature.Cell, feature.Path, &o)
	n.project = newProjection(at, &o)
	at = root.Sub("matching")
	n.matching = newSubnet(at, matchingStems(at, &o), o.Planes(), matching.Cell, matching.Path, &o)
	n.head = newHead(at, &o)
	if err := n.variables.Err(); err != nil {
		n.variables.Close()
		return nil, fmt.Errorf("stereo: build network: %w", err)
	}
	return n, nil
}

// inputNodes is the number of nodes of a cell: stems and tails have 3f*2^l
// channels at level l because a cell has three nodes of f*2^l.
const inputNodes = 3

// newProjection is the 1x1 convolution at the end of the feature network. It
// fires, so that the volume is binary (section 3.2.2).
func newProjection(p torch.Path, o *Options) *search.ConvBlock {
	wide := 3 * o.Width
	return search.NewConvBlock(p.Sub("last_3"), search.ConvShape{In: wide, Out: wide, NoBias: true, NoNorm: true}, o.cells())
}

// Variables are the parameters and buffers of the network.
func (n *Network) Variables() *torch.Variables { return n.variables }

// Close frees the network.
func (n *Network) Close() error { return n.variables.Close() }

// Parameters is the number of trainable numbers.
func (n *Network) Parameters() (int64, error) { return n.variables.Count() }

// Forward computes the cost of all time steps from the stacks of both views.
// left and right are [T*N, Channels, H, W] with time slowest; the result is
// float32 [T*N, bins, H, W], where a larger number is a better match. Pass the
// last N rows, or all, to [Estimate].
//
// With Membranes in the pass the input is the next piece of a stream: T is
// Membranes.Steps, and the neurons go on from where the piece before left them.
func (n *Network) Forward(p search.Pass, left, right torch.Tensor) torch.Tensor {
	steps := n.Options.Steps
	if p.Membranes != nil {
		steps = max(p.Membranes.Steps, 1)
	}
	s := p.Scope.Child()
	defer s.Close()
	p.Scope = s
	if err := n.Options.checkInputs(s, left, right, steps, p); err != nil {
		s.Fail(err)
		return torch.Tensor{}
	}
	cells := n.Options.cells()
	p, done := cells.Together(p, n.variables)
	defer done()
	height, width := int(s.Size(left, 2)), int(s.Size(left, 3))
	fl, fr := n.features(p, left, right, steps)
	grids := Grids(n.Options.Planes(), height, width)
	volume := foldedVolume(s, fl, fr, n.Options.Planes())
	s.Free(fl)
	s.Free(fr)
	x := n.matching.forward(p, volume, grids)
	s.Free(volume)
	return s.Return(n.head.forward(p, x, height, width))
}

// features are the level-0 spikes of both views.
func (n *Network) features(p search.Pass, left, right torch.Tensor, steps int) (fl, fr torch.Tensor) {
	s := p.Scope.Child()
	defer s.Close()
	p.Scope = s
	x := prepare(s, left, right, steps)
	y := n.feature.forward(p, x, Grids(0, int(s.Size(left, 2)), int(s.Size(left, 3))))
	fl, fr = unview(s, n.project.Forward(p, y), steps)
	return s.Return(fl), s.Return(fr)
}

// prepare joins both views and fills them up with zeros on top and to the left.
func prepare(s *torch.Scope, left, right torch.Tensor, steps int) torch.Tensor {
	c := s.Child()
	defer c.Close()
	height, width := c.Size(left, 2), c.Size(left, 3)
	x := c.Cast(views(c, left, right, steps), torch.Float32)
	top, before := int64(Padded(int(height)))-height, int64(Padded(int(width)))-width
	if torch.IsCUDA(c.Device(x)) {
		return c.Return(padLast(c, x, before, top))
	}
	return c.Return(c.ChannelsLast(c.Tensor("aten::constant_pad_nd", x, []int64{before, 0, top, 0})))
}

// padLast adds zeros before the columns and on top of the rows of x [N, C, H, W] and lays
// it out channels last on the way, not by a copy of its own.
func padLast(s *torch.Scope, x torch.Tensor, before, top int64) torch.Tensor {
	x = s.Tensor("aten::permute", x, []int64{0, 2, 3, 1})
	x = s.Tensor("aten::constant_pad_nd", x, []int64{0, 0, before, 0, top, 0})
	return s.Tensor("aten::permute", x, []int64{0, 3, 1, 2})
}

// checkInputs explains inputs that do not fit.
func (o *Options) checkInputs(s *torch.Scope, left, right torch.Tensor, steps int, p search.Pass) error {
	l, r := s.Shape(left), s.Shape(right)
	if s.Err() != nil {
		return nil
	}
	switch {
	case p.Membranes != nil && p.Mode == torch.Train:
		return fmt.Errorf("stereo: a stream is evaluated, not trained: %w", ErrOptions)
	case len(l) != 4 || fmt.Sprint(l) != fmt.Sprint(r):
		return fmt.Errorf("stereo: the views have shapes %v and %v, want twice [steps*N, %d, H, W]: %w", l, r, o.Channels, ErrOptions)
	case l[1] != int64(o.Channels) || l[0]%int64(steps) != 0 || l[0] == 0:
		return fmt.Errorf("stereo: the views have shape %v, want [%d*N, %d, H, W]: %w", l, steps, o.Channels, ErrOptions)
	case Padded(int(l[3]))/3 <= o.Planes():
		return fmt.Errorf("stereo: a width of %d px is too small for a disparity of %d px: %w", l[3], o.MaxDisparity, ErrOptions)
	}
	return nil
}
