package stereo

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// Network is the stereo network SpikeDHS-Stereo of a genotype.
type Network struct {
	Options  Options
	Genotype genotype.Genotype

	variables *torch.Variables
	graph     *graph.Graph
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
	n := &Network{Options: o, Genotype: g, variables: torch.NewVariables(d), graph: &graph.Graph{}}
	wire(n.graph, n.variables, &o, func(half subnet, x graph.Value) graph.Value {
		if half.planes == 0 {
			s0, s1 := half.featureStems(x)
			return half.path(feature, s0, s1)
		}
		s0, s1 := half.matchingStems(x)
		return half.path(matching, s0, s1)
	})
	if err := n.variables.Err(); err != nil {
		n.variables.Close()
		return nil, fmt.Errorf("stereo: build network: %w", err)
	}
	return n, nil
}

// inputNodes is the number of nodes of a cell: stems and tails have 3f*2^l
// channels at level l because a cell has three nodes of f*2^l.
const inputNodes = 3

// wire lays out what networks and supernets have in common: both views through the feature
// network, the volume of their spikes through the matching network, and the cost. half
// wires one of the two.
func wire(g *graph.Graph, v *torch.Variables, o *Options, half func(n subnet, x graph.Value) graph.Value) {
	feature := subnet{g, "feature", v.Root().Sub("feature"), 0, o}
	x := half(feature, g.Add("views", graph.Views{Left: graph.Input(0), Right: graph.Input(1)}))
	volume := g.Add("volume", graph.Volume{X: feature.project(x), Planes: o.Planes()})
	matching := subnet{g, "matching", v.Root().Sub("matching"), o.Planes(), o}
	g.Result(matching.head(half(matching, volume)))
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
	return s.Return(n.graph.Forward(s, &p, steps, left, right)[0])
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
	case graph.Padded(int(l[3]))/3 <= o.Planes():
		return fmt.Errorf("stereo: a width of %d px is too small for a disparity of %d px: %w", l[3], o.MaxDisparity, ErrOptions)
	}
	return nil
}

// Table is the network as data, as it is trained or folded, over views of the given size.
func (n *Network) Table(height, width int, folded bool) (graph.Table, error) {
	view := graph.Shape{Images: 1, Channels: n.Options.Channels, Height: height, Width: width}
	if !folded {
		return search.Table(n.graph, []string{"left", "right"}, view, view), nil
	}
	p, err := n.Program()
	if err != nil {
		return graph.Table{}, err
	}
	defer p.Close()
	return p.Table(view, view), nil
}

// SpikingLayers picks layers whose surrogate gradient can be searched (package dgs)
// by patterns, see [dgs.Select]; all of them without a pattern. feature.stem0 is the
// layer that reads the events, which the paper searches; matching.cell2.node1 is a
// node of a cell of the matching network. With operations mixed at the spike each
// convolution into a node is a layer, as in feature.cell0.node0.s1.
func (n *Network) SpikingLayers(patterns ...string) ([]*dgs.Layer, error) {
	return search.SpikingLayers(n.graph, patterns...)
}

// Buffers are the tensors of the network that no optimiser changes: running
// statistics, temperatures, and the table of bins.
func (n *Network) Buffers() []torch.Tensor { return search.Buffers(n.variables) }
