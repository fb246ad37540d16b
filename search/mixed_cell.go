package search

import (
	"slices"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// mixedCell is a cell of the supernet: every edge carries all candidate
// operations, weighted by softmax(alpha) (eq. 4).
type mixedCell struct {
	place
	count int    // of nodes
	fans  []*fan // by source; the last node is read by nobody
	nodes []*spike.Neurons
	fused *fusedCell
	steps int
	few   *fewMixed // where launches count, else nil

	ops       []genotype.Op // the columns of alpha
	others    []otherOp
	recompute bool
}

// otherOp is a registered operation on an edge of a mixed cell.
type otherOp struct {
	src  genotype.Source
	node int
	op   genotype.Op
	*edgeOp
}

// weightOf is the place of an operation's weight among those of all edges.
func (c *mixedCell) weightOf(src genotype.Source, node int, op genotype.Op) int {
	return genotype.EdgeIndex(node, src)*len(c.ops) + slices.Index(c.ops, op)
}

// skips reports whether identities are among the candidates.
func (c *mixedCell) skips() bool { return slices.Contains(c.ops, genotype.Skip) }

// addOthers makes the registered operations of all edges.
func (c *mixedCell) addOthers(p torch.Path, o *Options) {
	for src := genotype.S0; int(src) < c.count+1; src++ {
		from := c.source(src)
		for j := range c.count {
			if genotype.EdgeIndex(j, src) < 0 || from.channels == 0 {
				continue
			}
			for _, op := range c.ops {
				path := p.Sub(genotype.FromNode(j).String()).Sub(src.String()).Sub(op.String())
				if e := newEdgeOp(path, op, from.channels, c.channels, c.stride(src), o); e != nil {
					c.others = append(c.others, otherOp{src, j, op, e})
				}
			}
		}
	}
}

func newMixedCell(p torch.Path, at place, nodes int, o *Options) *mixedCell {
	c := &mixedCell{place: at, count: nodes, steps: o.Steps, ops: o.candidates(), recompute: o.Recompute}
	for src := genotype.S0; int(src) < nodes+1; src++ {
		var readers []reader
		for j := range nodes {
			if genotype.EdgeIndex(j, src) < 0 || at.source(src).channels == 0 {
				continue
			}
			for _, op := range o.candidates() {
				if isConv(src, op) {
					readers = append(readers, reader{j, op})
				}
			}
		}
		c.fans = append(c.fans, newFan(p.Sub("from_"+src.String()), at.source(src).channels, at.channels,
			at.stride(src), readers, o))
	}
	for j := range nodes {
		c.nodes = append(c.nodes, newNeurons(p.Sub(genotype.FromNode(j).String()).Sub("neurons"), o, o.Temperature))
	}
	var skips []skip
	for j := range nodes {
		for i := range j {
			src := genotype.FromNode(i)
			if c.skips() {
				skips = append(skips, skip{src, j, c.weightOf(src, j, genotype.Skip)})
			}
		}
	}
	c.addOthers(p, o)
	if len(c.others) > 0 || !c.skips() {
		return c // layer by layer
	}
	c.fused = newFusedCell(p.Name(), at.channels, c.fans, c.nodes, skips,
		func(src genotype.Source, r reader) int { return c.weightOf(src, r.node, r.op) }, o)
	if o.fewLaunches(p.Device()) {
		c.few = newFewMixed(p, c.fans, nodes, c.weightOf, o)
	}
	return c
}

// forward reads s0 and s1; weights are softmax(alpha), [edges, ops].
func (c *mixedCell) forward(p Pass, s0, s1, weights torch.Tensor) torch.Tensor {
	if p.tapes(c.fused, c.recompute, s1) {
		return p.Tape.run(p, []torch.Tensor{weights, s0, s1}, func(p Pass, in []torch.Tensor) torch.Tensor {
			return c.forward(p, in[1], in[2], in[0])
		})
	}
	s := p.Scope.Child()
	defer s.Close()
	p = p.in(s)
	sums := make([]torch.Tensor, c.count) // input of each node so far
	s0, s1 = c.align(p, s0, s1)
	if c.fused.serves(p, s0) {
		return s.Return(c.fused.forward(s, s0, s1, weights))
	}
	if c.few != nil {
		return s.Return(c.few.forward(p, c, s0, s1, weights))
	}
	c.spread(p, genotype.S0, s0, weights, sums)
	c.spread(p, genotype.S1, s1, weights, sums)
	outputs := make([]torch.Tensor, c.count)
	for j := range c.count {
		outputs[j] = p.fire(c.nodes[j], sums[j], c.steps)
		s.Free(sums[j])
		if j+1 < c.count {
			c.spread(p, genotype.FromNode(j), outputs[j], weights, sums)
		}
	}
	return s.Return(s.Cat(outputs, 1))
}

// spread adds what the edges from src bring to the nodes that they lead to.
func (c *mixedCell) spread(p Pass, src genotype.Source, x, weights torch.Tensor, sums []torch.Tensor) {
	s := p.Scope.Child()
	defer s.Close()
	if c.source(src).channels == 0 {
		return // no such input
	}
	var mixed []torch.Tensor // by the edges' nodes
	first := max(int(src)-1, 0)
	if f := c.fans[src]; f != nil {
		mixed = s.Unbind(f.mix(s, f.forward(p.in(s), x), c.weights(s, f, weights, src)), 1)
	}
	weigh := func(y torch.Tensor, j int, op genotype.Op) torch.Tensor {
		row := s.Select(weights, 0, genotype.EdgeIndex(j, src))
		return s.Mul(y, s.CastLike(s.Select(row, 0, slices.Index(c.ops, op)), y))
	}
	for j := first; j < c.count; j++ {
		var sum torch.Tensor
		if mixed != nil {
			sum = at(mixed, j-first)
		}
		if identity(src, genotype.Skip) && c.skips() {
			skip := s.Select(s.Select(weights, 0, genotype.EdgeIndex(j, src)), 0, slices.Index(c.ops, genotype.Skip))
			sum = addTo(s, sum, s.Mul(x, skip))
		}
		for _, o := range c.others {
			if o.src == src && o.node == j {
				sum = addTo(s, sum, weigh(o.forward(p.in(s), x), j, o.op))
			}
		}
		if before := sums[j]; torch.Defined(before) {
			sum = s.Add(before, sum)
			p.Scope.Free(before)
		}
		sums[j] = s.Return(sum)
	}
}

// targets lists the nodes that the readers of f lead to, in order.
func (f *fan) targets() []int {
	var list []int
	for _, r := range f.readers {
		if len(list) == 0 || list[len(list)-1] != r.node {
			list = append(list, r.node)
		}
	}
	return list
}

// weights picks the weight of each reader out of [edges, ops]: [readers]. No index
// comes from the host, so that a CUDA graph can hold it.
func (c *mixedCell) weights(s *torch.Scope, f *fan, all torch.Tensor, src genotype.Source) torch.Tensor {
	flat := s.Reshape(all, -1)
	picks := make([]torch.Tensor, len(f.readers))
	for i, r := range f.readers {
		picks[i] = s.Narrow(flat, 0, c.weightOf(src, r.node, r.op), 1)
	}
	return s.Cat(picks, 0)
}

// mix weighs the readers' outputs y [T*N, readers*width, H, W] and sums the
// operations of each edge: [T*N, edges, width, H, W].
func (f *fan) mix(s *torch.Scope, y, weights torch.Tensor) torch.Tensor {
	c := s.Child()
	defer c.Close()
	edges := int64(len(f.targets()))
	ops := int64(len(f.readers)) / edges
	h, w := c.Size(y, 2), c.Size(y, 3)
	split := c.Tensor("aten::view", y, []int64{-1, edges, ops, int64(f.width), h, w})
	weights = c.CastLike(c.Reshape(weights, 1, edges, ops, 1, 1, 1), y)
	weighted := c.Mul(split, weights)
	return c.Return(c.Tensor("aten::sum.dim_IntList", weighted, []int64{2}))
}
