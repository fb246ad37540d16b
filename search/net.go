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

func (o headOp) Run(r *graph.Run) torch.Tensor { return o.forward(passOf(r), r.At(o.X)) }

func (o headOp) Fold(l *Lowering, at func(graph.Value) graph.Value) graph.Value {
	return o.lower(l, at(o.X), o.classes)
}

// auxiliaryOp is the second classifier, in training alone.
type auxiliaryOp struct {
	X graph.Value
	*auxiliary
	classes int
}

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
	Outputs []graph.Value
	cells   []trellis.Cell
	moves   int // whose weights, see Pass.moves
}

func (o joinOp) Run(r *graph.Run) torch.Tensor {
	return trellis.Join(r.Owner, passOf(r).moves[o.moves], o.cells, r.All(o.Outputs))
}

// Fold adds the inference form of a graph, one node after the other, and gives that of its
// results.
func (p *Lowering) Fold(g *graph.Graph, inputs ...graph.Value) (results []graph.Value, err error) {
	made := map[graph.Value]graph.Value{}
	for i, v := range inputs {
		made[graph.Input(i)] = v
	}
	at := func(v graph.Value) graph.Value { return made[v] }
	flat := g.Flat()
	for i, n := range flat.Nodes() {
		v := graph.Value(i)
		switch o := n.Op.(type) {
		case auxiliaryOp: // of training alone
		case Folder:
			made[v] = o.Fold(p, at)
		case graph.Repeat:
			if made[v] = at(o.X); p.Steps > 1 {
				made[v] = p.Add(graph.Map(o, at))
			}
		default:
			made[v] = p.Add(graph.Map(o, at))
		}
	}
	if err := p.Scope().Err(); err != nil {
		return nil, fmt.Errorf("search: fold network: %w", err)
	}
	for _, v := range flat.Results() {
		results = append(results, made[v])
	}
	return results, nil
}
