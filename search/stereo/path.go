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
