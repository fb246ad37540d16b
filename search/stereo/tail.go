package stereo

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// tail leads the output of the last cell from its level to level 0: at each level
// a spiking 1x1 convolution halves the channels and nearest interpolation
// doubles the grid. Its layers are called last_24, last_12 and last_6 in
// LEAStereo, after the resolution of their input.
type tail struct {
	down []*search.ConvBlock // down[l] leads from level l+1 to level l
}

func newTail(p torch.Path, from, wide, planes int, o *Options) *tail {
	t := &tail{}
	for l := 1; l <= from; l++ {
		t.down = append(t.down, search.NewConvBlock(p.Sub(fmt.Sprintf("last_%d", PlaneStep<<l)), search.ConvShape{
			In: wide << l, Out: wide << (l - 1), Kernel: 1, Planes: graph.PlanesAt(planes, l), NoBias: true,
		}, o.cells()))
	}
	return t
}

// forward gives level 0 from a feature of the given level.
func (t *tail) forward(p search.Pass, x torch.Tensor, level int, grids [Levels]graph.Grid) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	p.Scope = s
	for l := level; l > 0; l-- {
		x = graph.Resize(s, t.down[l-1].Forward(p, x), grids[l], grids[l-1])
	}
	return s.Return(x)
}
