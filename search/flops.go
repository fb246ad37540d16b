package search

import (
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

// Layer is the arithmetic of a convolution or linear layer (a convolution of a
// 1x1 grid). Convolutions that read the same feature are one wide layer.
type Layer struct {
	Name    string
	In, Out int // channels; of one group of the inputs
	Kernel  int // side; the padding keeps the grid at stride 1
	Stride  int
	// Height and Width are those of the layer's output.
	Height, Width int
	// Once says that the layer runs once an image, not once a time step.
	Once bool
	// Depth is the side of the kernel over planes, Images how many views or planes the layer
	// runs over; 0 is 1.
	Depth, Images int
}

// MultiplyAdds is the number of multiply-accumulates of one image in one time
// step, borders counted like the rest. Two floating-point operations are one of them.
func (l Layer) MultiplyAdds() int64 {
	return int64(l.In) * int64(l.Out) * int64(l.Kernel*l.Kernel*max(l.Depth, 1)) * int64(l.Height*l.Width*max(l.Images, 1))
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

// Layers lists the convolutions and linear layers of a forward pass of a network over inputs
// of the given shapes, called as in the inference form.
func Layers(g *graph.Graph, inputs ...graph.Shape) []Layer {
	var list []Layer
	flat := g.Flat()
	shape := flat.Shapes(inputs...)
	for _, n := range flat.Nodes() {
		if o, ok := n.Op.(weighted); ok {
			list = append(list, o.weights(shape(graph.Reads(o)[0]))...)
		}
	}
	return list
}

// weighted is a node with layers that multiply, as they do where it reads x.
type weighted interface {
	graph.Op
	weights(x graph.Shape) []Layer
	parameters() []torch.Tensor
}

// Table is a network as data, before it is folded, over inputs of the given names and shapes.
func Table(g *graph.Graph, names []string, inputs ...graph.Shape) graph.Table {
	return g.Table(names, func(op graph.Op, x graph.Shape) (c graph.Cost) {
		if o, ok := op.(weighted); ok {
			for _, l := range o.weights(x) {
				c.MACs += l.MultiplyAdds()
			}
			c.Parameters = graph.Numel(o.parameters()...)
		}
		return c
	}, inputs...)
}

// images are the input of a network of images.
func (o *Options) images(height, width int) graph.Shape {
	return graph.Shape{Images: 1, Channels: o.Channels, Height: height, Width: width, Still: !o.Temporal}
}

// Table is the network as data, as it is trained or folded, over images of a data set.
func (n *Network) Table(in Input, folded bool) (graph.Table, error) {
	if !folded {
		return Table(n.graph, []string{"images"}, n.Options.images(in.Height+2*in.Pad, in.Width+2*in.Pad)), nil
	}
	p, err := n.Program(in)
	if err != nil {
		return graph.Table{}, err
	}
	defer p.Close()
	return p.Table(n.Options.images(in.Height, in.Width)), nil
}

// Layers lists the convolutions and linear layers of a forward pass over images
// of the given size, padding included; the auxiliary classifier, which only
// training uses, is among them when the network has one.
func (n *Network) Layers(height, width int) []Layer {
	return Layers(n.graph, n.Options.images(height, width))
}

// Layers lists the convolutions and linear layers of a forward pass over images
// of the given size.
func (n *Supernet) Layers(height, width int) []Layer {
	return Layers(n.graph, n.Options.images(height, width))
}

func (o convOp) weights(x graph.Shape) []Layer {
	weight, err := torch.Shape(o.conv.Weight)
	if err != nil {
		return nil // a network that is closed
	}
	y := o.output(x)
	l := Layer{
		Name: o.name, In: int(weight[1]), Out: y.Channels, Kernel: int(o.conv.Options.Kernel), Stride: int(o.conv.Options.Stride),
		Height: y.Height, Width: y.Width, Once: x.Still,
	}
	if len(weight) > 4 {
		l.Depth = l.Kernel
	}
	if x.Images > 1 {
		l.Images = x.Images
	}
	return []Layer{l}
}

func (o convOp) parameters() []torch.Tensor {
	list := []torch.Tensor{o.conv.Weight, o.conv.Bias}
	if o.norm.BatchNorm != nil {
		list = append(list, o.norm.Weight, o.norm.Bias)
	}
	return list
}

// output is the shape behind the convolution.
func (b *ConvBlock) output(x graph.Shape) graph.Shape {
	o := b.conv.Options
	return x.Convolved(int64(b.shape.Out), o.Kernel, o.Stride, o.Padding)
}

func (o convOp) Shape(at func(graph.Value) graph.Shape) graph.Shape {
	y := o.output(at(o.X))
	y.Still = y.Still && !o.repeats
	return y
}

func (o nodeOp) Shape(at func(graph.Value) graph.Shape) graph.Shape {
	x := at(o.Edges[0].X)
	x.Channels = o.layer.Channels
	return x
}

// Shape has the sums of all edges side by side.
func (o mixOp) Shape(at func(graph.Value) graph.Shape) graph.Shape {
	x := at(o.X)
	x.Channels = o.wide.edges() * o.wide.width
	return x
}

func (o bringOp) Shape(at func(graph.Value) graph.Shape) graph.Shape {
	x, images, by := at(o.X), at(graph.Input(0)), o.strides<<o.to
	x.Height, x.Width = (images.Height+by-1)/by, (images.Width+by-1)/by
	return x
}

func (o headOp) Shape(func(graph.Value) graph.Shape) graph.Shape {
	return graph.Shape{Images: 1, Channels: o.classes, Height: 1, Width: 1}
}

func (o headOp) weights(x graph.Shape) []Layer {
	return []Layer{{Name: "head", In: x.Channels, Out: o.classes, Kernel: 1, Stride: 1, Height: 1, Width: 1}}
}

func (o headOp) parameters() []torch.Tensor {
	return []torch.Tensor{o.linear.Weight, o.linear.Bias, o.norm.Weight, o.norm.Bias}
}

func (o auxiliaryOp) parameters() []torch.Tensor {
	list := []torch.Tensor{o.linear.Weight, o.linear.Bias}
	for _, n := range o.norms {
		list = append(list, n.Weight, n.Bias)
	}
	return append(list, o.convs[0].Weight, o.convs[0].Bias, o.convs[1].Weight, o.convs[1].Bias)
}

func (o auxiliaryOp) Shape(func(graph.Value) graph.Shape) graph.Shape {
	return graph.Shape{Images: 1, Channels: o.classes, Height: 1, Width: 1}
}

// weights are those of a classifier that works on a 2x2 grid.
func (o auxiliaryOp) weights(x graph.Shape) []Layer {
	return []Layer{
		{Name: "auxiliary.conv.0", In: x.Channels, Out: auxiliaryNarrow, Kernel: 1, Stride: 1, Height: 2, Width: 2},
		{Name: "auxiliary.conv.1", In: auxiliaryNarrow, Out: auxiliaryWide, Kernel: 2, Stride: 1, Height: 1, Width: 1},
		{Name: "auxiliary.linear", In: auxiliaryWide, Out: o.classes, Kernel: 1, Stride: 1, Height: 1, Width: 1},
	}
}
