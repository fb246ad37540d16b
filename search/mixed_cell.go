package search

import (
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
}

func newMixedCell(p torch.Path, at place, nodes int, o *Options) *mixedCell {
	c := &mixedCell{place: at, count: nodes, steps: o.Steps}
	for src := genotype.S0; int(src) < nodes+1; src++ {
		var readers []reader
		for j := range nodes {
			if genotype.EdgeIndex(j, src) < 0 || at.source(src).channels == 0 {
				continue
			}
			for op := range genotype.Op(genotype.NumOps) {
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
	weight := func(src genotype.Source, node int, op genotype.Op) int {
		return genotype.EdgeIndex(node, src)*genotype.NumOps + int(op)
	}
	var skips []skip
	for j := range nodes {
		for i := range j {
			src := genotype.FromNode(i)
			skips = append(skips, skip{src, j, weight(src, j, genotype.Skip)})
		}
	}
	c.fused = newFusedCell(p.Name(), at.channels, c.fans, c.nodes, skips,
		func(src genotype.Source, r reader) int { return weight(src, r.node, r.op) }, o)
	if o.fewLaunches(p.Device()) {
		c.few = newFewMixed(p, c.fans, nodes, weight, o)
	}
	return c
}

// forward reads s0 and s1; weights are softmax(alpha), [edges, ops].
func (c *mixedCell) forward(p Pass, s0, s1, weights torch.Tensor) torch.Tensor {
	if p.tapes(c.fused, s1) {
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
	f := c.fans[src]
	if f == nil {
		return // no such input
	}
	mixed := s.Unbind(f.mix(s, f.forward(p.in(s), x), f.weights(s, weights, src)), 1)
	for i, j := range f.targets() {
		sum := at(mixed, i)
		if !isConv(src, genotype.Skip) { // the identity is no convolution
			skip := s.Select(s.Select(weights, 0, genotype.EdgeIndex(j, src)), 0, int(genotype.Skip))
			sum = s.Add(sum, s.Mul(x, skip))
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
func (f *fan) weights(s *torch.Scope, all torch.Tensor, src genotype.Source) torch.Tensor {
	flat := s.Reshape(all, -1)
	picks := make([]torch.Tensor, len(f.readers))
	for i, r := range f.readers {
		picks[i] = s.Narrow(flat, 0, genotype.EdgeIndex(r.node, src)*genotype.NumOps+int(r.op), 1)
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
