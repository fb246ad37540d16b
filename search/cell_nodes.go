package search

import (
	"slices"

	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// nodeOp is a node of a cell: it sums what its edges bring and fires (eq. 3).
type nodeOp struct {
	Edges   []incoming
	neurons *spike.Neurons
	steps   int
	layer   graph.Layer
	search  *dgs.Layer // the node as a layer of a search of surrogates; nil: it is none
}

// incoming is what an edge brings to its node.
type incoming struct {
	graph.Part
	source genotype.Source
	From   graph.Value // what the edge reads
	wide   *ConvBlock  // that makes it; nil: the edge hands on what it reads, or is another operation
	reader int         // of the wide convolution
	other  bool
	search *dgs.Layer // the edge as a layer: neurons of its own
}

// Summed is what the edges bring.
func (o nodeOp) Summed() []graph.Value {
	var list []graph.Value
	for _, e := range o.Edges {
		list = append(list, e.X)
	}
	return list
}

func (o nodeOp) Run(r *graph.Run) torch.Tensor {
	p := passOf(r)
	if searched(p, o.search) {
		var inputs []torch.Tensor
		for _, e := range o.Edges {
			inputs = append(inputs, r.At(e.From))
		}
		return o.search.Forward(r.Scope, inputs...)
	}
	var sum torch.Tensor
	for _, e := range o.Edges {
		if searched(p, e.search) {
			sum = addTo(r.Scope, sum, e.search.Forward(r.Scope, r.At(e.From)))
		} else {
			sum = addTo(r.Scope, sum, r.Part(e.Part))
		}
	}
	return p.fire(o.neurons, sum, o.steps)
}

func (o nodeOp) Fold(l *Lowering, at func(graph.Value) graph.Value) graph.Value {
	var sum graph.Sum
	for _, e := range o.Edges {
		sum.Parts = append(sum.Parts, graph.Part{X: at(e.X), Start: e.Start, Length: e.Length})
	}
	return l.fire(o.layer, o.neurons, l.Add(sum))
}

// addTo adds y to a running sum that may be empty. A sum that s owns is freed.
func addTo(s *torch.Scope, sum, y torch.Tensor) torch.Tensor {
	if !torch.Defined(sum) {
		return y
	}
	total := s.Add(sum, y)
	s.Free(sum)
	return total
}

// mixOp weighs the operations of a wide convolution of a supernet and sums those of each
// edge: [T*N, edges, width, H, W], of which nodes read parts (eq. 4).
type mixOp struct {
	X, Weights graph.Value
	wide       *ConvBlock
	places     []int // of the operations' weights among those of all edges
}

// Run picks the weights without an index from the host, so that a CUDA graph can hold it.
func (o mixOp) Run(r *graph.Run) torch.Tensor {
	s := r.Scope
	flat := s.Reshape(r.At(o.Weights), -1)
	picks := make([]torch.Tensor, len(o.places))
	for i, place := range o.places {
		picks[i] = s.Narrow(flat, 0, place, 1)
	}
	return o.wide.mix(s, r.At(o.X), s.Cat(picks, 0))
}

// Cut cuts the sum of each edge out.
func (o mixOp) Cut(r *graph.Run, y torch.Tensor) []torch.Tensor { return r.Scope.Unbind(y, 1) }

// mix weighs the readers' outputs y [T*N, readers*width, H, W] by weights [readers] and sums
// the operations of each edge.
func (b *ConvBlock) mix(s *torch.Scope, y, weights torch.Tensor) torch.Tensor {
	c := s.Child()
	defer c.Close()
	edges := int64(b.edges())
	ops := int64(len(b.readers)) / edges
	split := c.Tensor("aten::view", y, []int64{-1, edges, ops, int64(b.width), c.Size(y, 2), c.Size(y, 3)})
	weights = c.CastLike(c.Reshape(weights, 1, edges, ops, 1, 1, 1), y)
	return c.Return(c.Tensor("aten::sum.dim_IntList", c.Mul(split, weights), []int64{2}))
}

// edges is how many edges the readers belong to.
func (b *ConvBlock) edges() int {
	return len(slices.CompactFunc(slices.Clone(b.readers), func(a, b genotype.Edge) bool { return a.Index == b.Index }))
}

// scaleOp weighs what an edge of a supernet hands on, or what a registered operation makes.
type scaleOp struct {
	X, Weights     graph.Value
	place, columns int // of the weight, among so many of an edge
	node           int
	other          bool
}

func (o scaleOp) Run(r *graph.Run) torch.Tensor {
	s, x := r.Scope, r.At(o.X)
	weight := s.Select(s.Select(r.At(o.Weights), 0, o.place/o.columns), 0, o.place%o.columns)
	if o.other {
		weight = s.CastLike(weight, x)
	}
	return s.Mul(x, weight)
}

// bringOp resizes a feature of an image network to the grid of another level, by nearest
// interpolation.
type bringOp struct {
	X        graph.Value
	from, to int
	strides  int // of the stem, altogether
}

func (o bringOp) Run(r *graph.Run) torch.Tensor {
	if o.from <= o.to {
		return graph.Shrink(r.Scope, r.At(o.X), o.to-o.from)
	}
	grid := passOf(r).grid
	return r.Scope.ResizeNearest(r.At(o.X), graph.Halved(grid[0], o.to), graph.Halved(grid[1], o.to))
}

func (o bringOp) Fold(l *Lowering, at func(graph.Value) graph.Value) graph.Value {
	if o.from < o.to {
		return l.Add(graph.Halve{X: at(o.X), Times: o.to - o.from})
	}
	return l.Add(graph.Enlarge{X: at(o.X), Pad: l.pad, Divisor: int64(o.strides) << o.to})
}
