package search

import (
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

// fewMixed runs a mixed cell with few launches: the weights of all operations are
// picked at once, and what a source brings to all nodes is one tensor.
type fewMixed struct {
	picks   torch.Tensor // places of the weights in [edges * ops], source by source
	sizes   []int64      // how many of them belong to the operations of a source, and to its identities
	compute int8         // element type of what is mixed, 0: float32
}

// newFewMixed prepares it for the fans of a cell; weight is the place of the weight of
// an operation.
func newFewMixed(p torch.Path, fans []*fan, nodes int, weight func(genotype.Source, int, genotype.Op) int, o *Options) *fewMixed {
	c := &fewMixed{compute: o.Precision.Compute()}
	var places []int64
	for i, f := range fans {
		src, before := genotype.Source(i), len(places)
		if f != nil {
			for _, r := range f.readers {
				places = append(places, int64(weight(src, r.node, r.op)))
			}
		}
		c.sizes = append(c.sizes, int64(len(places)-before))
		before = len(places)
		if !isConv(src, genotype.Skip) {
			for j := i - 1; j < nodes; j++ { // source 2 is node 0
				places = append(places, int64(weight(src, j, genotype.Skip)))
			}
		}
		c.sizes = append(c.sizes, int64(len(places)-before))
	}
	c.picks = torch.Fixed(p, places, int64(len(places)))
	return c
}

// forward is [mixedCell.forward] on aligned inputs.
func (f *fewMixed) forward(p Pass, c *mixedCell, s0, s1, weights torch.Tensor) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	p = p.in(s)
	picked := s.Tensor("aten::index_select", s.Reshape(weights, -1), 0, f.picks)
	if f.compute != 0 {
		picked = s.Cast(picked, f.compute)
	}
	parts := s.Parts(picked, 0, f.sizes)
	// What all nodes that are left have got so far, [T*N, nodes, width, H, W].
	sum := f.brings(p, c, genotype.S0, s0, parts)
	sum = addTo(s, sum, f.brings(p, c, genotype.S1, s1, parts))
	outputs := make([]torch.Tensor, c.count)
	for j := range c.count {
		current, rest := f.next(s, sum, c.count-j)
		outputs[j] = p.fire(c.nodes[j], current, c.steps)
		s.Free(current)
		if j+1 < c.count {
			sum = addTo(s, rest, f.brings(p, c, genotype.FromNode(j), outputs[j], parts))
		}
	}
	return s.Return(s.Cat(outputs, 1))
}

// next cuts the first node's current out of a sum for several nodes.
func (f *fewMixed) next(s *torch.Scope, sum torch.Tensor, nodes int) (current, rest torch.Tensor) {
	defer s.Free(sum)
	first := sum
	if nodes > 1 {
		parts := s.Parts(sum, 1, []int64{1, int64(nodes - 1)})
		first, rest = at(parts, 0), at(parts, 1)
	}
	// Neurons read dense memory, in both passes: one copy serves them.
	return s.ChannelsLast(s.Tensor("aten::squeeze.dim", first, 1)), rest
}

// brings is what the edges from src bring to the nodes that they lead to,
// [T*N, edges, width, H, W]; no tensor where there is no such input.
func (f *fewMixed) brings(p Pass, c *mixedCell, src genotype.Source, x torch.Tensor, weights []torch.Tensor) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	fan := c.fans[src]
	if fan == nil {
		return torch.Tensor{}
	}
	mixed := fan.mix(s, fan.forward(p.in(s), x), at(weights, 2*int(src)))
	if !isConv(src, genotype.Skip) {
		skips := s.Reshape(at(weights, 2*int(src)+1), 1, -1, 1, 1, 1)
		mixed = s.Add(mixed, s.Mul(s.Tensor("aten::unsqueeze", x, 1), skips))
	}
	return s.Return(mixed)
}
