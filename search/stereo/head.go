package stereo

import (
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// head is the end of the matching network: a real-valued 3x3x3 convolution to
// one channel, then interpolation from planes to bins and from level 0 to the
// input's resolution.
type head struct {
	last    *search.ConvBlock
	mapping torch.Tensor // [bins, planes, 1, 1]
	planes  int
}

func newHead(p torch.Path, o *Options) *head {
	h := &head{planes: o.Planes()}
	h.last = search.NewConvBlock(p.Sub("last_3"), search.ConvShape{
		In: 3 * o.Width, Out: 1, Kernel: 3, Planes: o.Planes(), NoBias: true, NoNorm: true, Activation: search.Linear,
	}, o.cells())
	var rows []float64
	for _, row := range binWeights(o.Head, o.Planes(), o.Bins()) {
		rows = append(rows, row...)
	}
	h.mapping = p.Buffer("mapping", torch.Values(rows...), int64(o.Bins()), int64(o.Planes()), 1, 1)
	return h
}

// binWeights are the shares of the planes in each bin, [bins][planes]: linear
// interpolation at the bin's place on the axis of planes.
func binWeights(kind Head, planes, bins int) [][]float64 {
	rows := make([][]float64, bins)
	for j := range rows {
		at := float64(j) * BinStep / PlaneStep
		if kind == HeadTrilinear {
			at = (float64(j)+0.5)*float64(planes)/float64(bins) - 0.5
		}
		at = min(max(at, 0), float64(planes-1))
		below := min(int(at), planes-2)
		rows[j] = make([]float64, planes)
		rows[j][below] = 1 - (at - float64(below))
		rows[j][below+1] = at - float64(below)
	}
	return rows
}

// forward gives the cost [B, bins, height, width] from level-0 spikes
// [B*planes, 3f, h, w]. What padding added on top and to the left is cut off.
func (h *head) forward(p search.Pass, x torch.Tensor, height, width int) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	p.Scope = s
	y := s.Cast(h.last.Forward(p, x), torch.Float32)
	return s.Return(graph.SpreadPlanes(s, y, h.mapping, h.planes, height, width))
}
