package stereo

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/graph"
)

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
