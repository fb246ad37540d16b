package stereo

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// stemLayer is one line of a table of layers.
type stemLayer struct{ out, stride int }

// subnet is where one of the two subnets of a network, or of a supernet, is wired: its
// name, its variables, and the depth of its level 0, which is 0 for the feature network.
type subnet struct {
	*graph.Graph
	name   string
	at     torch.Path
	planes int
	o      *Options
}

// conv adds a block below the subnet's path, at a level.
func (n subnet) conv(name string, p torch.Path, shape search.ConvShape, x graph.Value) graph.Value {
	return n.Add(n.name+"."+name, search.NewConvBlock(p, shape, n.o.cells()).Node(x))
}

// stems are the layers in front of a subnet. The cells read the outputs of the
// last two, or twice that of the last.
func (n subnet) stems(in int, twice bool, table []stemLayer, x graph.Value) (s0, s1 graph.Value) {
	activation := search.Fires
	if n.o.Stem == search.StemReLU {
		activation = search.Rectifies
	}
	s1 = x
	for i, layer := range table {
		level := 0
		if n.planes == 0 && i == 0 {
			level = graph.FullLevel
		}
		s0, s1 = s1, n.conv(fmt.Sprintf("stem%d", i), n.at.Sub("stem").At("layers", i), search.ConvShape{
			In: in, Out: layer.out, Kernel: 3, Stride: layer.stride, Planes: n.planes, Level: level, Activation: activation,
		}, s1)
		in = layer.out
	}
	if twice {
		s0 = s1
	}
	return s0, s1
}

// featureStems are in front of the feature network; see [Stems].
func (n subnet) featureStems(x graph.Value) (s0, s1 graph.Value) {
	wide := 3 * n.o.Width
	tables := map[Stems][]stemLayer{
		StemsA: {{wide, 1}, {wide, 3}},
		StemsB: {{wide / 2, 1}, {wide, 3}},
		StemsL: {{wide / 2, 1}, {wide, 3}, {wide, 1}},
	}
	// The first stem of A and B has the input's resolution, so both inputs of the
	// first cell are the second.
	return n.stems(n.o.Channels, n.o.Stems != StemsL, tables[n.o.Stems], x)
}

// matchingStems are in front of the matching network.
func (n subnet) matchingStems(x graph.Value) (s0, s1 graph.Value) {
	wide := 3 * n.o.Width
	return n.stems(2*wide, false, []stemLayer{{wide, 1}, {wide, 1}}, x)
}

// regrid brings x to another level.
func (n subnet) regrid(x graph.Value, from, to int) graph.Value {
	if from == to {
		return x
	}
	return n.Add(fmt.Sprintf("%s.resize%d", n.name, len(n.Nodes())), graph.Regrid{X: x, From: from, To: to, Planes: n.planes})
}
