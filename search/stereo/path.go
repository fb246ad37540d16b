package stereo

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
)

// feature is a value between cells.
type feature struct {
	graph.Value
	level, channels int
}

// path lays the cells of a decoded subnet out, and the tail behind them: cell i+1 reads the
// input s1 and the output of cell i, both brought to its grid. The first two features are
// those of the stems, at level 0. It gives level-0 spikes of 3f channels.
func (n subnet) path(g genotype.Subnet, stem0, stem1 graph.Value) graph.Value {
	wide := 3 * n.o.Width
	s0, s1 := feature{stem0, 0, wide}, feature{stem1, 0, wide}
	for i, level := range g.Path {
		from1 := n.regrid(s1.Value, s1.level, level)
		from0 := from1
		if s0 != s1 {
			from0 = n.regrid(s0.Value, s0.level, level)
		}
		cell := search.NewCell(n.at.At("cells", i), search.CellShape{
			Channels: n.o.Width << level, S0: s0.channels, S1: s1.channels, Planes: graph.PlanesAt(n.planes, level), Level: level,
		}, g.Cell, n.o.cells())
		y := n.Add(fmt.Sprintf("%s.cell%d", n.name, i), cell.Node(from0, from1))
		s0, s1 = s1, feature{y, level, g.Cell.Nodes * n.o.Width << level}
	}
	return n.newTail(s1.level, g.Cell.Nodes*n.o.Width).from(s1.level, s1.Value)
}

// tail leads the output of the last cell from its level to level 0: at each level
// a spiking 1x1 convolution halves the channels and nearest interpolation
// doubles the grid. Its layers are called last_24, last_12 and last_6 in
// LEAStereo, after the resolution of their input.
type tail struct {
	subnet
	down []*search.ConvBlock // down[l] leads from level l+1 to level l
}

func (n subnet) newTail(from, wide int) tail {
	t := tail{subnet: n}
	for l := 1; l <= from; l++ {
		t.down = append(t.down, search.NewConvBlock(n.at.Sub("tail").Sub(fmt.Sprintf("last_%d", PlaneStep<<l)), search.ConvShape{
			In: wide << l, Out: wide << (l - 1), Kernel: 1, Planes: graph.PlanesAt(n.planes, l), Level: l, NoBias: true,
		}, n.o.cells()))
	}
	return t
}

// from gives level 0 from a feature of the given level.
func (t tail) from(level int, x graph.Value) graph.Value {
	for l := level; l > 0; l-- {
		x = t.Add(fmt.Sprintf("%s.tail%d_%d", t.name, level, l), t.down[l-1].Node(x))
		x = t.regrid(x, l, l-1)
	}
	return x
}
