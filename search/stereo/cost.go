package stereo

import (
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
)

// Work is the number of multiplications and additions of one time step: two
// views through the feature network and one volume through the matching network.
type Work struct {
	// Feature is that of both views.
	Feature int64
	// Matching is that of the matching network, stems and head's convolution too.
	Matching int64
}

// Total of both subnets.
func (w Work) Total() int64 { return w.Feature + w.Matching }

// convolutions counts one layer: a position is an output pixel of a plane.
func convolutions(in, out, kernel int, g graph.Grid) int64 {
	positions := int64(g.Height) * int64(g.Width) * int64(max(g.Planes, 1))
	taps := kernel * kernel
	if g.Planes > 0 {
		taps *= kernel
	}
	return positions * int64(in) * int64(out) * int64(taps)
}

// MACs counts the multiplications and additions of the convolutions in one time
// step over stacks of the given size. In a spiking network most of them are
// additions, and only for inputs that fired.
func (n *Network) MACs(height, width int) Work {
	o := n.Options
	flat, deep := graph.Grids(0, height, width), graph.Grids(o.Planes(), height, width)
	wide := 3 * o.Width
	full := graph.Grid{Height: graph.Padded(height), Width: graph.Padded(width)}
	var view int64
	in := o.Channels
	for i, layer := range n.feature.stems.layers {
		g := flat[0]
		if i == 0 {
			g = full
		}
		view += convolutions(in, layer.Channels(), 3, g)
		in = layer.Channels()
	}
	view += n.feature.macs(wide, flat) + convolutions(wide, wide, 1, flat[0])
	matching := convolutions(2*wide, wide, 3, deep[0]) + convolutions(wide, wide, 3, deep[0])
	matching += n.matching.macs(wide, deep) + convolutions(wide, 1, 3, deep[0])
	return Work{Feature: 2 * view, Matching: matching}
}

// macs are those of the cells and of the tail.
func (n *subnet) macs(wide int, grids [Levels]graph.Grid) int64 {
	var total int64
	for _, at := range n.steps {
		for _, edge := range n.wiring.Edges {
			in := at.channels
			switch edge.Source() {
			case genotype.S0:
				in = at.s0.channels
			case genotype.S1:
				in = at.s1.channels
			default:
				if edge.Op == genotype.Skip {
					continue // the identity between nodes
				}
			}
			total += convolutions(in, at.channels, 3, grids[at.level])
		}
	}
	for l := n.steps[len(n.steps)-1].level; l > 0; l-- {
		total += convolutions(wide<<l, wide<<(l-1), 1, grids[l])
	}
	return total
}
