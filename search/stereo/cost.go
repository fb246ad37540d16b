package stereo

import (
	"strings"

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
	view := graph.Shape{Images: 1, Channels: n.Options.Channels, Height: height, Width: width}
	for _, l := range search.Layers(n.graph, view, view) {
		if strings.HasPrefix(l.Name, "feature.") {
			w.Feature += l.MultiplyAdds()
		} else {
			w.Matching += l.MultiplyAdds()
		}
	}
	return w
}

// Table is the network as data, as it is trained or folded, over views of the given size.
func (n *Network) Table(height, width int, folded bool) (graph.Table, error) {
	view := graph.Shape{Images: 1, Channels: n.Options.Channels, Height: height, Width: width}
	if !folded {
		return search.Table(n.graph, []string{"left", "right"}, view, view), nil
	}
	p, err := n.Program()
	if err != nil {
		return graph.Table{}, err
	}
	defer p.Close()
	return p.Table(view, view), nil
}
