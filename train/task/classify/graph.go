package classify

import (
	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
)

// Graph is the network over images of the data set's published shape. What only files know
// is taken from the configuration: the side of pictures and recordings, one class.
func (Task) Graph(c *config.Config, g genotype.Genotype, folded bool) (graph.Table, error) {
	channels, height, width, classes, err := data.Shape(c.Data.Name)
	if err != nil {
		return graph.Table{}, err
	}
	if side := data.Side(c.Data.Name, c.Data.Size, c.Data.Sensor); c.Data.Size > 0 || height == 0 {
		height, width = side, side
	}
	o := TrainOptions(c, max(channels, 1), max(classes, 1), search.Float32)
	n, err := search.NewNetwork(torch.CPU(), g, o)
	if err != nil {
		return graph.Table{}, err
	}
	defer n.Close()
	one := make([]float64, o.Channels)
	for i := range one {
		one[i] = 1
	}
	return n.Table(search.Input{Height: height, Width: width, Pad: c.Data.Pad, Mean: one, Deviation: one}, folded)
}
