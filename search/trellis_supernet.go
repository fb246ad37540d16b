package search

import (
	"errors"
	"fmt"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/search/trellis"
	"github.com/spikedhs/spikedhs/torch"
)

// TrellisSupernet is the network of a search for cells and layers (section 3.2.2):
// every cell of the trellis exists, each with all candidate operations. All share
// one alpha; beta weighs the moves between the levels.
//
// The inputs of a cell are brought to its grid by nearest interpolation, up and down.
// s1 is the output of the layer before, s0 that of the cell's own level two layers
// before, where there is one (package trellis).
//
// Each level that a path can end at has a classifier of its own. The logits are their
// mean, each weighted by the share of the paths that end there ([trellis.Space.Ends]): the
// normalisation in a classifier would take out the weight that beta gives a level,
// so that with equal weights nothing would tell which level to end at.
type TrellisSupernet struct {
	Options Options
	Nodes   int

	space        trellis.Space
	weights      *torch.Variables
	architecture *torch.Variables
	alpha, beta  torch.Tensor // [edges, ops] and [layers, 4, 3]
	moves        *trellis.Table
	stem         stem
	cells        map[trellis.Cell]*Cell
	heads        []*head // by level
	graph        *graph.Graph
}

// NewTrellisSupernet builds a supernet on a device, with fresh weights, alpha and
// beta. nodes is the number of nodes of a cell. The trellis has as many layers as
// o.Levels has cells and o.TrellisLevels levels; the levels of the cells say nothing
// here, and there is no auxiliary classifier.
func NewTrellisSupernet(d torch.Device, nodes int, o Options) (*TrellisSupernet, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if nodes < 1 || nodes > genotype.MaxNodes {
		return nil, fmt.Errorf("search: a cell has 1 to %d nodes, not %d: %w", genotype.MaxNodes, nodes, ErrOptions)
	}
	n := &TrellisSupernet{
		Options: o, Nodes: nodes, space: trellis.Space{Layers: len(o.Levels), Levels: o.trellisLevels()},
		weights: torch.NewVariables(d), architecture: torch.NewVariables(d),
		cells: map[trellis.Cell]*Cell{},
	}
	arch, root := n.architecture.Root(), n.weights.Root()
	n.alpha = arch.Parameter("alpha", torch.Normal(o.AlphaDeviation), int64(genotype.Edges(nodes)), int64(len(o.candidates())))
	n.beta = n.space.Parameter(arch, o.AlphaDeviation)
	n.moves = n.space.Table(arch)
	wide := nodes * o.Width
	n.stem = newStem(root.Sub("stem"), wide, &o)
	for _, c := range n.space.Cells() {
		s0 := 0
		if c.S0() {
			s0 = wide << c.To
		}
		name := fmt.Sprintf("%d_from_%d", c.To, c.From)
		n.cells[c] = NewMixedCell(root.At("layers", c.Layer).Sub(name), CellShape{
			Channels: o.Width << c.To, S0: s0, S1: wide << c.From,
		}, nodes, o)
	}
	for level := range n.space.Sources(n.space.Layers) {
		n.heads = append(n.heads, newHead(root.At("heads", level), wide<<level, &o))
	}
	if err := errors.Join(n.weights.Err(), n.architecture.Err()); err != nil {
		n.Close()
		return nil, fmt.Errorf("search: build supernet: %w", err)
	}
	n.graph = n.wire()
	return n, nil
}

// wire lays the trellis out. The inputs are images and softmax(alpha), the results the
// logits of the levels.
func (n *TrellisSupernet) wire() *graph.Graph {
	g := &graph.Graph{}
	x := n.stem.wire(g, graph.Input(0), &n.Options)
	last := trellis.Run(n.space, []graph.Value{x, x}, trellis.Network[graph.Value]{
		Cell: func(c trellis.Cell, s0, s1 trellis.Feature[graph.Value]) graph.Value {
			name := fmt.Sprintf("layer%d.%d_from_%d", c.Layer, c.To, c.From)
			if c.From != c.To {
				s1.Value = g.Add(name+".resize", bringOp{s1.Value, c.From, c.To, n.Options.strides()})
			}
			if !s0.OK {
				s0.Value = s1.Value // nobody reads it
			}
			return g.Add(name, n.cells[c].Node(graph.Input(1), s0.Value, s1.Value))
		},
		Join: func(cells []trellis.Cell, outputs []graph.Value) graph.Value {
			return g.Add(fmt.Sprintf("layer%d.%d", cells[0].Layer, cells[0].To), JoinNode(0, cells, outputs))
		},
	})
	for level, h := range n.heads {
		g.Result(g.Add(fmt.Sprintf("head%d", level), headOp{last[level].Value, h, n.Options.Classes}))
	}
	return g
}

// Weights are the network weights w.
func (n *TrellisSupernet) Weights() *torch.Variables { return n.weights }

// Architecture are the architecture weights alpha and beta.
func (n *TrellisSupernet) Architecture() *torch.Variables { return n.architecture }

// Precision is that of the convolutions.
func (n *TrellisSupernet) Precision() Precision { return n.Options.Precision }

// Close frees the supernet.
func (n *TrellisSupernet) Close() error {
	return errors.Join(n.weights.Close(), n.architecture.Close())
}

// Deepest is the deepest level that a path of the trellis reaches.
func (n *TrellisSupernet) Deepest() int { return len(n.heads) - 1 }

// CheckSize tells whether images of a size, padding included, are large enough: each
// level halves what the stem leaves of them, and the deepest must have a pixel left.
func (n *TrellisSupernet) CheckSize(height, width int) error {
	h, w := n.Options.behindStem(height, width)
	if least := 1 << n.Deepest(); h < least || w < least {
		return fmt.Errorf("search: images of %dx%d leave %dx%d behind the stem; %d layers reach level %d, which needs %d pixels a side: %w",
			height, width, h, w, n.space.Layers, n.Deepest(), least, ErrOptions)
	}
	return nil
}

// Forward computes logits from images as [Supernet.Forward] does.
func (n *TrellisSupernet) Forward(p Pass, images torch.Tensor) Output {
	s := p.Scope.Child()
	defer s.Close()
	p, done := n.Options.begin(p.in(s), n.weights, images)
	defer done()
	if shape := s.Shape(images); len(shape) == 4 {
		if err := n.CheckSize(int(shape[2]), int(shape[3])); err != nil {
			s.Fail(err)
			return Output{}
		}
	}
	alpha := s.Softmax(n.alpha, 1)
	moves := n.moves.Weights(s, n.beta)
	p = p.WithMoves(moves)
	results := n.graph.Forward(s, &p, n.Options.Steps, images, alpha)
	shares := moves.Ends(s)
	var logits torch.Tensor
	for level, y := range results {
		logits = addTo(s, logits, s.Mul(y, shares[level]))
	}
	return Output{Logits: s.Return(logits)}
}

// Alphas returns alpha as [Supernet.Alphas] does; there is one.
func (n *TrellisSupernet) Alphas() (normal, reduction [][]float64, err error) {
	normal, err = ReadAlpha(n.alpha)
	return normal, nil, err
}

// Space is what the search chooses a path from.
func (n *TrellisSupernet) Space() trellis.Space { return n.space }

// Beta returns the logits of the moves as numbers.
func (n *TrellisSupernet) Beta() (trellis.Beta, error) { return trellis.Read(n.beta) }

// Decode reads the genotype off the architecture weights: the cell off alpha
// (section 3.3), and off beta the path with the largest product of probabilities
// (Viterbi, [trellis.Space.Decode]). The network of the genotype follows the path.
func (n *TrellisSupernet) Decode(name string) (genotype.Genotype, error) {
	alpha, err := ReadAlpha(n.alpha)
	if err != nil {
		return genotype.Genotype{}, err
	}
	cell, err := genotype.DecodeCell(alpha, n.Nodes, n.Options.candidates()...)
	if err != nil {
		return genotype.Genotype{}, fmt.Errorf("search: cell: %w", err)
	}
	beta, err := n.Beta()
	if err != nil {
		return genotype.Genotype{}, fmt.Errorf("search: path: %w", err)
	}
	path, _, err := n.space.Decode(beta)
	if err != nil {
		return genotype.Genotype{}, fmt.Errorf("search: path: %w", err)
	}
	g, err := genotype.NewOnPath(name, cell, path)
	return g.Over(n.Options.candidates()), err
}
