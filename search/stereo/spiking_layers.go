package stereo

import (
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/torch"
)

// SpikingLayers picks layers whose surrogate gradient can be searched (package dgs)
// by patterns, see [dgs.Select]; all of them without a pattern. feature.stem0 is the
// layer that reads the events, which the paper searches; matching.cell2.node1 is a
// node of a cell of the matching network. With operations mixed at the spike each
// convolution into a node is a layer, as in feature.cell0.node0.s1.
func (n *Network) SpikingLayers(patterns ...string) ([]*dgs.Layer, error) {
	return search.SpikingLayers(n.graph, patterns...)
}

// Buffers are the tensors of the network that no optimiser changes: running
// statistics, temperatures, and the table of bins.
func (n *Network) Buffers() []torch.Tensor { return search.Buffers(n.variables) }
