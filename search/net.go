package search

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/search/trellis"
	"github.com/spikedhs/spikedhs/torch"
)

// Folder is an operation of a network that trains and whose inference form is another:
// Fold adds its nodes to a program, where at gives what its inputs have become. Other
// operations fold to themselves.
type Folder interface {
	graph.Op
	Fold(l *Lowering, at func(graph.Value) graph.Value) graph.Value
}

// passOf is the pass that a run belongs to, in the scope of the node.
func passOf(r *graph.Run) Pass { return r.Pass.(*Pass).in(r.Scope) }

// stemOp is the stem of an image network: the first feature, whose grid is level 0's.
type stemOp struct {
	X graph.Value
	*stem
}

func (o stemOp) Map(at func(graph.Value) graph.Value) graph.Op { o.X = at(o.X); return o }

func (o stemOp) Run(r *graph.Run) torch.Tensor {
	y := o.forward(passOf(r), r.At(o.X))
	r.Pass.(*Pass).grid = gridOf(r.Scope, y)
	return y
}

func (o stemOp) Fold(l *Lowering, at func(graph.Value) graph.Value) graph.Value {
	return o.lower(l, at(o.X))
}

// cellOp is a decoded cell.
type cellOp struct {
	S0, S1 graph.Value
	*cell
}

func (o cellOp) Map(at func(graph.Value) graph.Value) graph.Op {
	o.S0, o.S1 = at(o.S0), at(o.S1)
	return o
}

func (o cellOp) Run(r *graph.Run) torch.Tensor { return o.forward(passOf(r), r.At(o.S0), r.At(o.S1)) }

func (o cellOp) Fold(l *Lowering, at func(graph.Value) graph.Value) graph.Value {
	return o.lower(l, at(o.S0), at(o.S1))
}

// mixedOp is a cell of a supernet; Weights is softmax(alpha).
type mixedOp struct {
	S0, S1, Weights graph.Value
	*mixedCell
}

func (o mixedOp) Map(at func(graph.Value) graph.Value) graph.Op {
	o.S0, o.S1, o.Weights = at(o.S0), at(o.S1), at(o.Weights)
	return o
}

func (o mixedOp) Run(r *graph.Run) torch.Tensor {
	return o.forward(passOf(r), r.At(o.S0), r.At(o.S1), r.At(o.Weights))
}

// bringOp resizes a feature of an image network to the grid of another level.
type bringOp struct {
	X        graph.Value
	from, to int
}

func (o bringOp) Map(at func(graph.Value) graph.Value) graph.Op { o.X = at(o.X); return o }

func (o bringOp) Run(r *graph.Run) torch.Tensor {
	return place{level: o.to}.bring(passOf(r), r.At(o.X), feature{level: o.from})
}

// convOp is a [ConvBlock].
type convOp struct {
	X graph.Value
	*ConvBlock
}

// Node is the block as a node of a network.
func (b *ConvBlock) Node(x graph.Value) graph.Op { return convOp{x, b} }

func (o convOp) Map(at func(graph.Value) graph.Value) graph.Op { o.X = at(o.X); return o }

func (o convOp) Run(r *graph.Run) torch.Tensor { return o.Forward(passOf(r), r.At(o.X)) }

func (o convOp) Fold(l *Lowering, at func(graph.Value) graph.Value) graph.Value {
	return o.lower(l, at(o.X))
}

// Node is the cell as a node of a network.
func (b *Block) Node(s0, s1 graph.Value) graph.Op { return cellOp{s0, s1, b.cell} }

// Node is the cell as a node of a supernet; without an s0 any value may stand for it.
func (b *MixedBlock) Node(s0, s1, weights graph.Value) graph.Op {
	return mixedOp{s0, s1, weights, b.cell}
}

// JoinNode is the sum of the outputs of cells that lead to one place of a trellis, the i-th
// of those whose moves the pass has ([Pass.WithMoves]).
func JoinNode(i int, cells []trellis.Cell, outputs []graph.Value) graph.Op {
	return joinOp{outputs, cells, i}
}

// headOp is the classifier.
type headOp struct {
	X graph.Value
	*head
	classes int
}

func (o headOp) Map(at func(graph.Value) graph.Value) graph.Op { o.X = at(o.X); return o }

func (o headOp) Run(r *graph.Run) torch.Tensor { return o.forward(passOf(r), r.At(o.X)) }

func (o headOp) Fold(l *Lowering, at func(graph.Value) graph.Value) graph.Value {
	return o.lower(l, at(o.X), o.classes)
}

// auxiliaryOp is the second classifier, in training alone.
type auxiliaryOp struct {
	X graph.Value
	*auxiliary
}

func (o auxiliaryOp) Map(at func(graph.Value) graph.Value) graph.Op { o.X = at(o.X); return o }

func (o auxiliaryOp) Run(r *graph.Run) torch.Tensor {
	p := passOf(r)
	if p.Mode != torch.Train {
		return torch.Tensor{}
	}
	return o.forward(p, r.At(o.X))
}

// joinOp is the sum of the outputs of cells that lead to one place of a trellis, weighted
// by the probabilities of their moves; see [trellis.Join].
type joinOp struct {
	outputs []graph.Value
	cells   []trellis.Cell
	moves   int // whose weights, see Pass.moves
}

func (o joinOp) Map(at func(graph.Value) graph.Value) graph.Op {
	list := make([]graph.Value, len(o.outputs))
	for i, v := range o.outputs {
		list[i] = at(v)
	}
	o.outputs = list
	return o
}

func (o joinOp) Run(r *graph.Run) torch.Tensor {
	outputs := make([]torch.Tensor, len(o.outputs))
	for i, v := range o.outputs {
		outputs[i] = r.At(v)
	}
	return trellis.Join(r.Owner, passOf(r).moves[o.moves], o.cells, outputs)
}

// Fold adds the inference form of a graph, one node after the other, and gives that of its
// results.
func (p *Lowering) Fold(g *graph.Graph, inputs ...graph.Value) (results []graph.Value, err error) {
	made := map[graph.Value]graph.Value{}
	for i, v := range inputs {
		made[graph.Input(i)] = v
	}
	at := func(v graph.Value) graph.Value { return made[v] }
	for i, n := range g.Nodes() {
		v := graph.Value(i)
		switch o := n.Op.(type) {
		case auxiliaryOp: // of training alone
		case Folder:
			made[v] = o.Fold(p, at)
		default:
			made[v] = p.Add(o.Map(at))
		}
	}
	if err := p.Scope().Err(); err != nil {
		return nil, fmt.Errorf("search: fold network: %w", err)
	}
	for _, v := range g.Results() {
		results = append(results, made[v])
	}
	return results, nil
}
