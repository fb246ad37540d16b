package search

import (
	"slices"

	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// CellShape is where a cell stands in a network that is no plain chain, such as
// one of two subnets. Such a network brings s0 and s1 to one grid itself.
type CellShape struct {
	// Channels is the width of one node.
	Channels int
	// S0 and S1 are the channels of the cell's inputs; without S0 there is no
	// such input and its edges are left out (of a mixed cell only).
	S0, S1 int
	// Planes is the depth of a cell over three dimensions, folded into the batch
	// of every tensor: [T*N*Planes, C, H, W]. 0 is a cell over two.
	Planes int
	// Level is that of the cell's grid.
	Level int
}

func (c CellShape) place(p torch.Path) place {
	return place{
		channels: c.Channels, s0: feature{c.S0, c.Level}, s1: feature{c.S1, c.Level},
		name: p.Name(), level: c.Level, planes: c.Planes,
	}
}

// Cell is a cell as a part of any network: a graph of its own, whose inputs are s0 and s1
// and, in front of them, the weights of the operations, softmax(alpha), where it is mixed.
// The result is the spikes of all nodes, [T*N, nodes*Channels, H, W].
//
// It is wired once, layer by layer. A graph of its own is what can be computed once more in
// the backward pass, and what is rewritten as a whole: to one operator (fuseCell) or to few
// launches (launchFew), where they pay. The inference form is that of its layers.
type Cell struct {
	layers     *graph.Graph
	fused      *graph.Graph // nil where an operation has no place in it
	few        *graph.Graph // where launches count, else nil
	options    *Options
	searchable []*dgs.Layer // by a search of surrogates
}

// NewCell makes a decoded cell below p: every node sums its two edges and fires (eq. 3). Of
// the options it reads those of neurons, mixing, normalisation and precision.
func NewCell(p torch.Path, shape CellShape, wiring genotype.Cell, o Options) *Cell {
	return newCell(p, shape.place(p), wiring, &o)
}

// NewMixedCell makes a cell of a supernet below p: every edge carries all candidate
// operations, weighted by softmax(alpha) (eq. 4).
func NewMixedCell(p torch.Path, shape CellShape, nodes int, o Options) *Cell {
	return newMixedCell(p, shape.place(p), nodes, &o)
}

func newCell(p torch.Path, at place, wiring genotype.Cell, o *Options) *Cell {
	w := newWiring(p, at, wiring.Nodes, wiring.Edges, nil, o)
	return w.cell(p, w.decoded())
}

func newMixedCell(p torch.Path, at place, nodes int, o *Options) *Cell {
	var edges []genotype.Edge
	for src := genotype.S0; int(src) < nodes+1; src++ {
		for j := range nodes {
			if index := genotype.EdgeIndex(j, src); index >= 0 && at.source(src).channels > 0 {
				for _, op := range o.candidates() {
					edges = append(edges, genotype.Edge{Index: index, Op: op})
				}
			}
		}
	}
	w := newWiring(p, at, nodes, edges, o.candidates(), o)
	return w.cell(p, w.mixed())
}

// cell is that of a graph, with its other forms.
func (w *wiring) cell(p torch.Path, g *graph.Graph) *Cell {
	o := w.options
	c := &Cell{layers: g, options: o}
	for _, n := range g.Nodes() {
		if node, ok := n.Op.(nodeOp); ok {
			c.searchable = append(c.searchable, node.layers(n.Name)...)
		}
	}
	mixed := w.ops != nil
	if len(w.others) > 0 || mixed && !slices.Contains(w.ops, genotype.Skip) {
		return c // layer by layer
	}
	c.fused = fuseCell(g, p.Name(), w.place, o)
	if mixed && o.fewLaunches(p.Device()) {
		c.few = launchFew(g, p, o)
	}
	return c
}

// Forward runs the cell; inputs are s0 and s1, of a mixed cell the weights in front of them.
func (c *Cell) Forward(p Pass, inputs ...torch.Tensor) torch.Tensor {
	fused := c.fused != nil && c.options.fuses(p, inputs[len(inputs)-1])
	if p.Tape != nil && c.options.Recompute && p.Mode == torch.Train && p.Scope.Records() && !fused {
		return p.Tape.run(p, inputs, func(p Pass, in []torch.Tensor) torch.Tensor { return c.Forward(p, in...) })
	}
	g := c.layers
	switch {
	case fused && !searched(p, c.searchable...):
		g = c.fused
	case c.few != nil:
		g = c.few
	}
	return g.Forward(p.Scope, &p, c.options.Steps, inputs...)[0]
}

// cellOp is a cell as a node.
type cellOp struct {
	Inputs []graph.Value
	*Cell
}

// Node is the cell as a node of a network, which reads what [Cell.Forward] does. Without an
// s0 any value may stand for it.
func (c *Cell) Node(inputs ...graph.Value) graph.Op { return cellOp{inputs, c} }

func (o cellOp) Run(r *graph.Run) torch.Tensor { return o.Forward(passOf(r), r.All(o.Inputs)...) }

// Inside is the cell layer by layer.
func (o cellOp) Inside() *graph.Graph { return o.layers }
