package stereo

import (
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// subnet is the feature or the matching network of a genotype: stems, cells along
// a path through the levels, and a tail that leads back to level 0.
type subnet struct {
	stems  *stems
	wiring genotype.Cell
	steps  []step
	cells  []*search.Block
	tail   *tail
	planes int // of level 0; 0 for the feature network
}

func newSubnet(p torch.Path, t *stems, planes int, wiring genotype.Cell, path []int, o *Options) *subnet {
	n := &subnet{stems: t, wiring: wiring, planes: planes}
	wide := 3 * o.Width
	n.steps = plan(path, o.Width, wiring.Nodes, wide, wide)
	for i, at := range n.steps {
		n.cells = append(n.cells, search.NewBlock(p.At("cells", i), search.BlockShape{
			Channels: at.channels, S0: at.s0.channels, S1: at.s1.channels, Planes: graph.PlanesAt(planes, at.level),
		}, wiring, o.cells()))
	}
	n.tail = newTail(p.Sub("tail"), path[len(path)-1], wiring.Nodes*o.Width, planes, o)
	return n
}

// forward gives level-0 spikes of 3f channels; grids are those of the input.
func (n *subnet) forward(p search.Pass, x torch.Tensor, grids [Levels]graph.Grid) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	p.Scope = s
	s0, s1 := n.stems.forward(p, x)
	for i := range n.steps {
		y := n.cell(p, i, s0, s1, grids)
		if s0.T != s1.T {
			s.Free(s0)
		}
		s0, s1 = s1, y
	}
	last := n.steps[len(n.steps)-1].level
	return s.Return(n.tail.forward(p, s1, last, grids))
}

// cell resizes both inputs to the cell's grid and runs it.
func (n *subnet) cell(p search.Pass, i int, s0, s1 torch.Tensor, grids [Levels]graph.Grid) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	p.Scope = s
	at := n.steps[i]
	same := s0.T == s1.T
	s1 = graph.Resize(s, s1, grids[at.s1.level], grids[at.level])
	if same {
		s0 = s1
	} else {
		s0 = graph.Resize(s, s0, grids[at.s0.level], grids[at.level])
	}
	return s.Return(n.cells[i].Forward(p, s0, s1))
}
