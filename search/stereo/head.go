package stereo

import (
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// project is the 1x1 convolution at the end of the feature network. It fires, so that the
// volume is binary (section 3.2.2).
func (n subnet) project(x graph.Value) graph.Value {
	wide := 3 * n.o.Width
	return n.conv("last", n.at.Sub("last_3"), search.ConvShape{In: wide, Out: wide, NoBias: true, NoNorm: true}, x)
}

// head is the end of the matching network: a real-valued 3x3x3 convolution to
// one channel, then interpolation from planes to bins and from level 0 to the
// input's resolution.
func (n subnet) head(x graph.Value) graph.Value {
	x = n.conv("last", n.at.Sub("last_3"), search.ConvShape{
		In: 3 * n.o.Width, Out: 1, Kernel: 3, Planes: n.planes, NoBias: true, NoNorm: true, Activation: search.Linear,
	}, x)
	var rows []float64
	for _, row := range binWeights(n.o.Head, n.planes, n.o.Bins()) {
		rows = append(rows, row...)
	}
	mapping := n.at.Buffer("mapping", torch.Values(rows...), int64(n.o.Bins()), int64(n.planes), 1, 1)
	return n.Add("cost", toBins{x, mapping, n.planes, n.o.Bins()})
}

// toBins is [graph.Bins] of a network that trains.
type toBins struct {
	X       graph.Value
	mapping torch.Tensor // [bins, planes, 1, 1]
	planes  int
	bins    int
}

// Shape has a channel for each bin.
func (o toBins) Shape(at func(graph.Value) graph.Shape) graph.Shape {
	x := at(graph.Input(0))
	return graph.Shape{Images: 1, Channels: o.bins, Height: x.Height, Width: x.Width}
}

// Run gives the cost [B, bins, height, width] from planes [B*planes, 1, h, w]. What padding
// added on top and to the left is cut off.
func (o toBins) Run(r *graph.Run) torch.Tensor {
	height, width := r.Size()
	y := r.Scope.Cast(r.At(o.X), torch.Float32)
	return graph.SpreadPlanes(r.Scope, y, o.mapping, o.planes, int(height), int(width))
}

// Fold adds the same to a program, with the mapping as a constant.
func (o toBins) Fold(l *search.Lowering, at func(graph.Value) graph.Value) graph.Value {
	var mapping torch.Tensor
	if l.Constants != nil {
		mapping, _ = l.Constants("mapping")
	} else {
		mapping = l.Scope().Clone(o.mapping)
	}
	return l.Add(graph.Bins{X: at(o.X), Mapping: l.Constant("mapping", mapping), Planes: o.planes})
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
