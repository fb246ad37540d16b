package stereo

import (
	"github.com/spikedhs/spikedhs/search"
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

// MACs counts the multiplications and additions of the convolutions in one time
// step over stacks of the given size. In a spiking network most of them are
// additions, and only for inputs that fired.
func (n *Network) MACs(height, width int) Work {
	var w Work
	for _, node := range n.graph.Nodes() {
		o, ok := node.Op.(search.Weighted)
		if !ok {
			continue
		}
		for _, c := range o.Weights() {
			g := graph.Grid{Height: graph.Padded(height), Width: graph.Padded(width)}
			if c.Level != graph.FullLevel {
				g = graph.Grids(n.Options.Planes(), height, width)[c.Level]
			}
			if c.Planes == 0 {
				w.Feature += 2 * c.Numbers * int64(g.Height*g.Width)
			} else {
				w.Matching += c.Numbers * int64(c.Planes*g.Height*g.Width)
			}
		}
	}
	return w
}
