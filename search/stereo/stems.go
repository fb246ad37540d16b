package stereo

import (
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
)

// stems are the layers in front of a subnet. The cells read the outputs of the
// last two, or twice that of the last.
type stems struct {
	layers []*search.ConvBlock
	twice  bool // s0 = s1 = the last
}

// stemLayer is one line of a table of layers.
type stemLayer struct{ out, stride int }

func newStems(p torch.Path, in, planes int, twice bool, table []stemLayer, o *Options) *stems {
	t := &stems{twice: twice}
	activation := search.Fires
	if o.Stem == search.StemReLU {
		activation = search.Rectifies
	}
	for i, layer := range table {
		t.layers = append(t.layers, search.NewConvBlock(p.Sub("stem").At("layers", i), search.ConvShape{
			In: in, Out: layer.out, Kernel: 3, Stride: layer.stride, Planes: planes, Activation: activation,
		}, o.cells()))
		in = layer.out
	}
	return t
}

// featureStems are in front of the feature network; see [Stems].
func featureStems(p torch.Path, o *Options) *stems {
	wide := 3 * o.Width
	tables := map[Stems][]stemLayer{
		StemsA: {{wide, 1}, {wide, 3}},
		StemsB: {{wide / 2, 1}, {wide, 3}},
		StemsL: {{wide / 2, 1}, {wide, 3}, {wide, 1}},
	}
	// The first stem of A and B has the input's resolution, so both inputs of the
	// first cell are the second.
	return newStems(p, o.Channels, 0, o.Stems != StemsL, tables[o.Stems], o)
}

// matchingStems are in front of the matching network.
func matchingStems(p torch.Path, o *Options) *stems {
	wide := 3 * o.Width
	return newStems(p, 2*wide, o.Planes(), false, []stemLayer{{wide, 1}, {wide, 1}}, o)
}

// forward gives s0 and s1 of the first cell.
func (t *stems) forward(p search.Pass, x torch.Tensor) (s0, s1 torch.Tensor) {
	s := p.Scope.Child()
	defer s.Close()
	p.Scope = s
	before, last := torch.Tensor{}, x
	for _, layer := range t.layers {
		before, last = last, layer.Forward(p, last)
	}
	if t.twice {
		last = s.Return(last)
		return last, last
	}
	return s.Return(before), s.Return(last)
}
