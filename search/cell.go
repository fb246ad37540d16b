package search

import (
	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// cell is a decoded cell: every node sums its two edges and fires (eq. 3).
type cell struct {
	place
	wiring    genotype.Cell
	fans      []*fan // by source; nil where no convolution reads it
	nodes     []*spike.Neurons
	fused     *fusedCell
	steps     int
	recompute bool

	layers  []*dgs.Layer                 // that a search of surrogates can take hold of
	byNode  []*dgs.Layer                 // of them, mixed at the membrane; nil: no weights
	byInput map[genotype.Edge]*dgs.Layer // of them, mixed at the spike
	others  map[genotype.Edge]*edgeOp    // edges of registered operations
}

func newCell(p torch.Path, at place, wiring genotype.Cell, o *Options) *cell {
	c := &cell{place: at, wiring: wiring, steps: o.Steps, recompute: o.Recompute}
	for src := genotype.S0; int(src) < wiring.Nodes+2; src++ {
		var readers []reader
		for _, edge := range wiring.Edges {
			if edge.Source() == src && isConv(src, edge.Op) {
				readers = append(readers, reader{edge.Node(), edge.Op})
			}
		}
		c.fans = append(c.fans, newFan(p.Sub("from_"+src.String()), at.source(src).channels, at.channels,
			at.stride(src), readers, o))
	}
	for j := range wiring.Nodes {
		c.nodes = append(c.nodes, newNeurons(p.Sub(genotype.FromNode(j).String()).Sub("neurons"), o, o.Temperature))
	}
	var skips []skip
	for _, edge := range wiring.Edges {
		if identity(edge.Source(), edge.Op) {
			skips = append(skips, skip{edge.Source(), edge.Node(), -1})
		}
	}
	for _, edge := range wiring.Edges {
		path := p.Sub(genotype.FromNode(edge.Node()).String()).Sub(edge.Source().String())
		if other := newEdgeOp(path, edge.Op, at.source(edge.Source()).channels, at.channels, at.stride(edge.Source()), o); other != nil {
			if c.others == nil {
				c.others = map[genotype.Edge]*edgeOp{}
			}
			c.others[edge] = other
		}
	}
	if len(c.others) == 0 {
		c.fused = newFusedCell(p.Name(), at.channels, c.fans, c.nodes, skips,
			func(genotype.Source, reader) int { return -1 }, o)
	}
	c.searchable(o)
	return c
}

// forward reads s0 and s1 and returns the concatenated spikes of the nodes.
func (c *cell) forward(p Pass, s0, s1 torch.Tensor) torch.Tensor {
	if p.tapes(c.fused, c.recompute, s1) {
		return p.Tape.run(p, []torch.Tensor{s0, s1}, func(p Pass, in []torch.Tensor) torch.Tensor {
			return c.forward(p, in[0], in[1])
		})
	}
	s := p.Scope.Child()
	defer s.Close()
	p = p.in(s)
	outputs := make([][]torch.Tensor, len(c.fans)) // of the fans, by reader
	sources := make([]torch.Tensor, len(c.fans))
	s0, s1 = c.align(p, s0, s1)
	if c.fused.serves(p, s0) && !searched(p, c.layers...) {
		return s.Return(c.fused.forward(s, s0, s1, torch.Tensor{}))
	}
	sources[0], sources[1] = s0, s1
	for src := range 2 {
		outputs[src] = c.fanOut(p, src, sources[src])
	}
	for j := range c.nodes {
		src := int(genotype.FromNode(j))
		sources[src] = c.node(p, j, sources, outputs)
		outputs[src] = c.fanOut(p, src, sources[src])
	}
	return s.Return(s.Cat(sources[2:], 1))
}

func (c *cell) fanOut(p Pass, src int, x torch.Tensor) []torch.Tensor {
	f := c.fans[src]
	if f == nil {
		return nil
	}
	return f.split(p.Scope, f.forward(p, x))
}

// node sums the edges of node j and fires.
func (c *cell) node(p Pass, j int, sources []torch.Tensor, outputs [][]torch.Tensor) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	if l := c.byNode[j]; searched(p, l) {
		return s.Return(l.Forward(s, c.inputs(j, sources)...))
	}
	var sum torch.Tensor
	for _, edge := range c.wiring.Inputs(j) {
		src := edge.Source()
		if l := c.byInput[edge]; searched(p, l) {
			sum = addTo(s, sum, l.Forward(s, sources[src]))
		} else if other := c.others[edge]; other != nil {
			sum = addTo(s, sum, other.forward(p.in(s), sources[src]))
		} else if isConv(src, edge.Op) {
			sum = addTo(s, sum, at(outputs[src], c.position(edge)))
		} else {
			sum = addTo(s, sum, sources[src])
		}
	}
	return s.Return(p.in(s).fire(c.nodes[j], sum, c.steps))
}

// at is list[i]; after a failure there is no list, and no tensor.
func at(list []torch.Tensor, i int) torch.Tensor {
	if i >= len(list) {
		return torch.Tensor{}
	}
	return list[i]
}

// position is the place of an edge among the readers of its source.
func (c *cell) position(edge genotype.Edge) int {
	n := 0
	for _, other := range c.wiring.Edges {
		if other == edge {
			break
		}
		if other.Source() == edge.Source() && isConv(edge.Source(), other.Op) {
			n++
		}
	}
	return n
}

// align resizes s0 and s1 to the cell's grid where down-sampling is by nearest
// interpolation; elsewhere strides do it.
func (p place) align(pass Pass, s0, s1 torch.Tensor) (torch.Tensor, torch.Tensor) {
	if p.downsample != genotype.DownsampleNearest {
		return s0, s1
	}
	return p.bring(pass, s0, p.s0), p.bring(pass, s1, p.s1)
}
