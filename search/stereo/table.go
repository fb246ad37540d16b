package stereo

import (
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/graph"
)

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
