package stereo

import (
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
)

// Views of the network as data have the size of those of MVSEC.
const (
	viewHeight = 260
	viewWidth  = 346
)

// Graph is the network over two views of a camera of 346x260 pixels.
func (Task) Graph(c *config.Config, g genotype.Genotype, folded bool) (graph.Table, error) {
	n, err := stereo.NewNetwork(torch.CPU(), g, TrainOptions(c, eventBins, search.Float32))
	if err != nil {
		return graph.Table{}, err
	}
	defer n.Close()
	return n.Table(viewHeight, viewWidth, folded)
}
