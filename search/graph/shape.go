package graph

import "github.com/spikedhs/spikedhs/torch"

// Shape is what a value is in one time step of one sequence.
type Shape struct {
	// Images is 1, or the number of views or of planes that are folded into the batch.
	Images                  int
	Channels, Height, Width int
	// Still says that the value is the same at all time steps: it is made once.
	Still bool
}

// Shaped is an operation that tells the shape of what it makes, where at gives those of what
// it reads.
type Shaped interface {
	Op
	Shape(at func(Value) Shape) Shape
}

// Shapes are those of all values where the inputs have the given ones.
func (g *Graph) Shapes(inputs ...Shape) func(Value) Shape { return g.shapes(nil, inputs) }

// Shapes are those of all values where the inputs have the given ones.
func (p *Program) Shapes(inputs ...Shape) func(Value) Shape { return p.shapes(p, inputs) }

// shapes walks over the nodes; p has the constants.
func (l *list) shapes(p *Program, inputs []Shape) func(Value) Shape {
	made := make([]Shape, len(l.nodes))
	at := func(v Value) Shape {
		if i, ok := v.input(); ok {
			return inputs[min(i, len(inputs)-1)]
		}
		return made[v]
	}
	for i, n := range l.nodes {
		if o, ok := n.Op.(Shaped); ok {
			made[i] = o.Shape(at)
		} else {
			made[i] = p.shape(n.Op, at)
		}
	}
	return at
}

// Convolved is the shape that a convolution makes of another.
func (x Shape) Convolved(channels, kernel, stride, pad int64) Shape {
	grid := func(n int) int { return int((int64(n)+2*pad-kernel)/max(stride, 1)) + 1 }
	x.Channels, x.Height, x.Width = int(channels), grid(x.Height), grid(x.Width)
	return x
}

func (p *Program) shape(o Op, at func(Value) Shape) Shape {
	input := at(Input(0))
	x := input
	if reads := Reads(o); len(reads) > 0 {
		x = at(reads[0])
	}
	switch o := o.(type) {
	case Views:
		x.Images, x.Height, x.Width = 2, Padded(x.Height), Padded(x.Width)
	case Prepare:
		x.Height, x.Width = x.Height+2*o.Pad, x.Width+2*o.Pad
	case Repeat, StepsFirst:
		x.Still = false
	case Conv:
		if weight, err := torch.Shape(p.Tensor(o.Weight)); err == nil {
			x = x.Convolved(weight[0], weight[2], o.Stride, o.Pad)
		}
	case Sum:
		if o.Parts[0].Length > 0 {
			x.Channels = o.Parts[0].Length
		}
	case Concat:
		for _, v := range o.List[1:] {
			x.Channels += at(v).Channels
		}
	case Halve:
		x.Height, x.Width = int(Halved(int64(x.Height), o.Times)), int(Halved(int64(x.Width), o.Times))
	case Enlarge:
		grid := func(n int) int { return int((int64(n) + 2*o.Pad + o.Divisor - 1) / o.Divisor) }
		x.Height, x.Width = grid(input.Height), grid(input.Width)
	case Regrid:
		to := Grids(o.Planes, input.Height, input.Width)[o.To]
		x.Height, x.Width = to.Height, to.Width
		if o.Planes > 0 {
			x.Images = to.Planes
		}
	case Volume:
		x.Images, x.Channels = o.Planes, 2*x.Channels
	case Bins:
		if mapping, err := torch.Shape(p.Tensor(o.Mapping)); err == nil {
			x = Shape{1, int(mapping[0]), input.Height, input.Width, false}
		}
	case Pool:
		x.Height, x.Width = 1, 1
	case Classify:
		x = Shape{1, o.Classes, 1, 1, false}
	}
	return x
}
