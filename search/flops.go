package search

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search/genotype"
)

// Layer is the arithmetic of a convolution or linear layer (a convolution of a
// 1x1 grid). Convolutions that read the same feature are one wide layer.
type Layer struct {
	Name    string
	In, Out int // channels
	Kernel  int // side; the padding keeps the grid at stride 1
	Stride  int
	// Height and Width are those of the layer's output.
	Height, Width int
	// Once says that the layer runs once an image, not once a time step.
	Once bool
}

// MultiplyAdds is the number of multiply-accumulates of one image in one time
// step, borders counted like the rest. Two floating-point operations are one of them.
func (l Layer) MultiplyAdds() int64 {
	return int64(l.In) * int64(l.Out) * int64(l.Kernel*l.Kernel) * int64(l.Height*l.Width)
}

// MultiplyAdds sums layers over the time steps of one image.
func MultiplyAdds(layers []Layer, steps int) int64 {
	var total int64
	for _, l := range layers {
		if l.Once {
			total += l.MultiplyAdds()
		} else {
			total += int64(steps) * l.MultiplyAdds()
		}
	}
	return total
}

// Layers lists the convolutions and linear layers of a forward pass over images
// of the given size, padding included; the auxiliary classifier, which only
// training uses, is among them when the network has one.
func (n *Network) Layers(height, width int) []Layer {
	nodes := n.Genotype.Normal().Nodes
	layout := places(&n.Options, nodes, n.Genotype.Downsample())
	list := n.Options.stemLayers(layout[0].s1.channels, height, width)
	height, width = list[len(list)-1].Height, list[len(list)-1].Width
	for i, at := range layout {
		wiring := n.Genotype.Normal()
		if at.reduction && n.Genotype.Reduction() != nil {
			wiring = *n.Genotype.Reduction()
		}
		for src := genotype.S0; int(src) < nodes+2; src++ {
			readers := 0
			for _, edge := range wiring.Edges {
				if edge.Source() == src && isConv(src, edge.Op) {
					readers++
				}
			}
			list = at.appendLayer(list, src, readers, height, width)
		}
		if n.Options.Auxiliary && i == auxiliaryCell(len(layout)) {
			list = append(list, auxiliaryLayers(nodes*at.channels, n.Options.Classes)...)
		}
	}
	return append(list, n.Options.headLayer(layout, nodes))
}

// Layers lists the convolutions and linear layers of a forward pass over images
// of the given size.
func (n *Supernet) Layers(height, width int) []Layer {
	layout := places(&n.Options, n.Nodes, n.Downsample)
	list := n.Options.stemLayers(layout[0].s1.channels, height, width)
	height, width = list[len(list)-1].Height, list[len(list)-1].Width
	for _, at := range layout {
		for src := genotype.S0; int(src) < n.Nodes+2; src++ {
			readers := 0
			for j := range n.Nodes {
				if genotype.EdgeIndex(j, src) < 0 {
					continue
				}
				for op := range genotype.Op(genotype.NumOps) {
					if isConv(src, op) {
						readers++
					}
				}
			}
			list = at.appendLayer(list, src, readers, height, width)
		}
	}
	return append(list, n.Options.headLayer(layout, n.Nodes))
}

// appendLayer adds the wide convolution from src of a cell, if anybody reads it.
func (p place) appendLayer(list []Layer, src genotype.Source, readers, height, width int) []Layer {
	if readers == 0 {
		return list
	}
	for range p.level { // as stride and nearest neighbour do: odd sizes round up
		height, width = (height+1)/2, (width+1)/2
	}
	return append(list, Layer{
		Name: fmt.Sprintf("cell%d.from_%v", p.index, src), In: p.source(src).channels, Out: readers * p.channels,
		Kernel: 3, Stride: p.stride(src), Height: height, Width: width,
	})
}

// stemLayers are those of the stem, whose last layer makes the channels told. The
// first sees the same image at every step, unless the input has time; without
// neurons so do the others.
func (o *Options) stemLayers(channels, height, width int) []Layer {
	var list []Layer
	in, analog := o.Channels, o.Stem != StemSpike || o.analog()
	for i, stride := range o.stemStrides() {
		name := "stem"
		if i > 0 {
			name = fmt.Sprintf("stem%d", i)
		}
		height, width = (height+stride-1)/stride, (width+stride-1)/stride
		out := o.stemWidth(i, channels)
		list = append(list, Layer{
			Name: name, In: in, Out: out, Kernel: 3, Stride: stride,
			Height: height, Width: width, Once: !o.Temporal && (i == 0 || analog),
		})
		in = out
	}
	return list
}

func (o *Options) headLayer(layout []place, nodes int) Layer {
	return Layer{
		Name: "head", In: outputChannels(layout, len(layout)-1, nodes), Out: o.Classes,
		Kernel: 1, Stride: 1, Height: 1, Width: 1,
	}
}

// auxiliaryLayers are those of the second classifier, which works on a 2x2 grid.
func auxiliaryLayers(in, classes int) []Layer {
	return []Layer{
		{Name: "auxiliary.conv.0", In: in, Out: auxiliaryNarrow, Kernel: 1, Stride: 1, Height: 2, Width: 2},
		{Name: "auxiliary.conv.1", In: auxiliaryNarrow, Out: auxiliaryWide, Kernel: 2, Stride: 1, Height: 1, Width: 1},
		{Name: "auxiliary.linear", In: auxiliaryWide, Out: classes, Kernel: 1, Stride: 1, Height: 1, Width: 1},
	}
}
