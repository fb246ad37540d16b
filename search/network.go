package search

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// Network is the classification network SpikeDHS-CLA of a genotype.
type Network struct {
	Options  Options
	Genotype genotype.Genotype

	variables *torch.Variables
	stem      stem
	cells     []*Cell
	head      *head
	auxiliary *auxiliary // nil without one
	graph     *graph.Graph
}

// NewNetwork builds the network of a genotype on a device, with fresh weights
// from libtorch's random numbers (see torch.Seed).
func NewNetwork(d torch.Device, g genotype.Genotype, o Options) (*Network, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	if err := o.checkPath(g); err != nil {
		return nil, err
	}
	n := &Network{Options: o, Genotype: g, variables: torch.NewVariables(d)}
	root := n.variables.Root()
	layout := places(&o, g.Normal().Nodes, g.Downsample())
	n.stem = newStem(root.Sub("stem"), layout[0].s1.channels, &o)
	for i, at := range layout {
		wiring := g.Normal()
		if at.reduction && g.Reduction() != nil {
			wiring = *g.Reduction()
		}
		n.cells = append(n.cells, newCell(root.At("cells", i), at, wiring, &o))
	}
	n.head = newHead(root.Sub("head"), outputChannels(layout, len(layout)-1, g.Normal().Nodes), &o)
	if o.Auxiliary {
		after := auxiliaryCell(len(layout))
		n.auxiliary = newAuxiliary(root.Sub("auxiliary"), after, outputChannels(layout, after, g.Normal().Nodes), &o)
	}
	if err := n.variables.Err(); err != nil {
		n.variables.Close()
		return nil, fmt.Errorf("search: build network: %w", err)
	}
	n.graph = n.wire()
	return n, nil
}

// wire is how stem, cells and classifiers read each other: each cell the two features
// before it.
func (n *Network) wire() *graph.Graph {
	g := &graph.Graph{}
	s1 := n.stem.wire(g, graph.Input(0), &n.Options)
	s0, auxiliary := s1, graph.Value(-1)
	for i, c := range n.cells {
		s0, s1 = s1, g.Add(fmt.Sprintf("cell%d", i), c.Node(s0, s1))
		if n.auxiliary != nil && n.auxiliary.after == i {
			auxiliary = g.Add("auxiliary", auxiliaryOp{s1, n.auxiliary, n.Options.Classes})
		}
	}
	g.Result(g.Add("head", headOp{s1, n.head, n.Options.Classes}))
	if n.auxiliary != nil {
		g.Result(auxiliary)
	}
	return g
}

// outputChannels of cell i.
func outputChannels(layout []place, i, nodes int) int { return nodes * layout[i].channels }

// auxiliaryCell is the cell whose output the auxiliary classifier reads.
func auxiliaryCell(cells int) int { return 2 * cells / 3 }

// Variables are the parameters and buffers of the network.
func (n *Network) Variables() *torch.Variables { return n.variables }

// Close frees the network.
func (n *Network) Close() error { return n.variables.Close() }

// Parameters is the number of trainable numbers that the trained network
// needs: all but those of the auxiliary classifier.
func (n *Network) Parameters() (int64, error) {
	return n.variables.Count("auxiliary")
}

// Forward computes logits from images [N, C, H, W], normalised float32; with
// [Options].Temporal from [T*N, C, H, W], time slowest (see [graph.TimeFirst]).
func (n *Network) Forward(p Pass, images torch.Tensor) Output {
	s := p.Scope.Child()
	defer s.Close()
	p, done := n.Options.begin(p.in(s), n.variables, images)
	defer done()
	results := n.graph.Forward(s, &p, n.Options.Steps, images)
	out := Output{Logits: s.Return(results[0])}
	if n.auxiliary != nil {
		out.Auxiliary = s.Return(results[1])
	}
	return out
}
