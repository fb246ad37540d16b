package search

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

// Network is the classification network SpikeDHS-CLA of a genotype.
type Network struct {
	Options  Options
	Genotype genotype.Genotype

	variables *torch.Variables
	stem      *stem
	cells     []*cell
	head      *head
	auxiliary *auxiliary // nil without one
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
	return n, nil
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
// [Options].Temporal from [T*N, C, H, W], time slowest (see [StepsFirst]).
func (n *Network) Forward(p Pass, images torch.Tensor) Output {
	s := p.Scope.Child()
	defer s.Close()
	p, done := n.Options.Together(p.in(s), n.variables)
	defer done()
	var out Output
	s0 := n.stem.forward(p, images)
	p.grid = gridOf(s, s0)
	s1 := s0
	for i, c := range n.cells {
		y := c.forward(p, s0, s1)
		// The tensor that no later cell reads goes now, not at the end.
		if i > 0 {
			s.Free(s0)
		}
		s0, s1 = s1, y
		if n.auxiliary != nil && n.auxiliary.after == i && p.Mode == torch.Train {
			out.Auxiliary = s.Return(n.auxiliary.forward(p, y))
		}
	}
	out.Logits = s.Return(n.head.forward(p, s1))
	return out
}
