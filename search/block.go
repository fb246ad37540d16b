package search

import (
	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// BlockShape is where a cell stands in a network that is no plain chain, such as
// one of two subnets. Such a network brings s0 and s1 to one grid itself.
type BlockShape struct {
	// Channels is the width of one node.
	Channels int
	// S0 and S1 are the channels of the cell's inputs; without S0 there is no
	// such input and its edges are left out (a [MixedBlock] only).
	S0, S1 int
	// Planes is the depth of a cell over three dimensions, folded into the batch
	// of every tensor: [T*N*Planes, C, H, W]. 0 is a cell over two.
	Planes int
	// Level is that of the cell's grid.
	Level int
}

func (b BlockShape) place(p torch.Path) place {
	return place{
		channels: b.Channels, s0: feature{channels: b.S0}, s1: feature{channels: b.S1},
		downsample: genotype.DownsampleNearest, // both inputs lie on the cell's grid
		name:       p.Name(), grid: b.Level, planes: b.Planes,
	}
}

// with returns the options of a block that has planes.
func (o Options) with(planes int) *Options {
	o.planes = planes
	return &o
}

// Block is a decoded cell as a part of any network.
type Block struct{ cell *cell }

// NewBlock makes the cell of a wiring below p. Of the options it reads those of
// neurons, mixing, normalisation and precision.
func NewBlock(p torch.Path, shape BlockShape, wiring genotype.Cell, o Options) *Block {
	return &Block{newCell(p, shape.place(p), wiring, o.with(shape.Planes))}
}

// Forward gives the spikes of all nodes, [T*N, nodes*Channels, H, W].
func (b *Block) Forward(p Pass, s0, s1 torch.Tensor) torch.Tensor { return b.cell.forward(p, s0, s1) }

// MixedBlock is a cell of a supernet as a part of any network.
type MixedBlock struct {
	cell    *mixedCell
	without bool // s0
}

// NewMixedBlock makes a cell with all candidate operations below p.
func NewMixedBlock(p torch.Path, shape BlockShape, nodes int, o Options) *MixedBlock {
	return &MixedBlock{newMixedCell(p, shape.place(p), nodes, o.with(shape.Planes)), shape.S0 == 0}
}

// Forward gives the spikes of all nodes; weights are softmax(alpha), [edges, ops].
// s0 may be no tensor where the shape has none.
func (b *MixedBlock) Forward(p Pass, s0, s1, weights torch.Tensor) torch.Tensor {
	if b.without {
		s0 = s1 // nobody reads it
	}
	return b.cell.forward(p, s0, s1, weights)
}

// BlockActivation is what follows the normalisation of a [ConvBlock].
type BlockActivation int

const (
	// Fires is a layer of spiking neurons.
	Fires BlockActivation = iota
	// Rectifies is max(x, 0), for the stems of the search phase.
	Rectifies
	// Linear leaves the values as they are.
	Linear
)

// ConvShape describes a [ConvBlock].
type ConvShape struct {
	In, Out        int
	Kernel, Stride int // an odd side, padded to keep the size at stride 1; both default to 1
	Planes         int // see BlockShape
	Level          int // of the output's grid
	// Groups divides channels into groups that do not see each other; In of them is a
	// depthwise convolution. Default 1; volumes have no groups.
	Groups         int
	NoBias, NoNorm bool
	Activation     BlockActivation
}

// ConvBlock is a convolution, its normalisation and its activation: a stem or a
// tail.
type ConvBlock struct {
	name       string
	level      int
	fan        *fan // one reader: convolution and normalisation
	normalises bool
	activation BlockActivation
	neurons    *spike.Neurons
	fused      *fusedCell // nil where the layers run one by one
	steps      int
	layer      *dgs.Layer // that a search of surrogates can take hold of; nil: does not fire, or has no normalisation
}

// NewConvBlock makes the block below p.
func NewConvBlock(p torch.Path, shape ConvShape, options Options) *ConvBlock {
	o := options.with(shape.Planes)
	o.Mixing = MixMembrane // there is nothing to mix
	b := &ConvBlock{name: p.Name(), level: shape.Level, normalises: !shape.NoNorm, activation: shape.Activation, steps: o.Steps}
	conv := torch.ConvOptions{
		Kernel: int64(max(shape.Kernel, 1)), Stride: int64(shape.Stride), Padding: int64(shape.Kernel / 2),
		NoBias: shape.NoBias, Compute: o.Precision.Compute(), Groups: int64(shape.Groups),
	}
	b.fan = &fan{readers: []reader{{0, genotype.B3}}, width: shape.Out, planes: shape.Planes, steps: o.Steps}
	if shape.Planes > 0 {
		b.fan.conv = torch.NewConv3d(p.Sub("conv"), int64(shape.In), int64(shape.Out), conv)
	} else {
		b.fan.conv = torch.NewConv2d(p.Sub("conv"), int64(shape.In), int64(shape.Out), conv)
	}
	if b.normalises {
		b.fan.norm = newNormBehind(b.fan.conv, p.Sub("norm"), shape.Out, o)
	}
	if b.activation == Fires {
		b.neurons = spike.NewNeurons(p.Sub("neurons"), o.Neuron, o.Temperature)
	}
	if b.activation == Fires && b.normalises && !shape.NoBias {
		b.layer = b.searchable()
		b.fused = newFusedCell(p.Name(), shape.Out, []*fan{nil, b.fan}, []*spike.Neurons{b.neurons}, nil,
			func(genotype.Source, reader) int { return -1 }, o)
	}
	return b
}

// Forward gives [T*N, Out, H, W], in the precision of the options.
func (b *ConvBlock) Forward(p Pass, x torch.Tensor) torch.Tensor {
	if searched(p, b.layer) {
		return b.layer.Forward(p.Scope, x)
	}
	if b.fused != nil && b.fused.serves(p, x) {
		return b.fused.forward(p.Scope, x, x, torch.Tensor{})
	}
	s := p.Scope.Child()
	defer s.Close()
	p = p.in(s)
	x = s.ChannelsLast(x)
	var y torch.Tensor
	if b.normalises {
		y = b.fan.norm.behind(p, b.fan.conv, x, b.fan.planes)
	} else {
		y = b.fan.conv.ForwardPlanes(s, x, b.fan.planes)
	}
	switch b.activation {
	case Fires:
		y = p.fire(b.neurons, y, b.steps)
	case Rectifies:
		y = s.ReLU(y)
	}
	return s.Return(y)
}

// lower adds the block's inference form.
func (b *ConvBlock) lower(p *Lowering, x graph.Value) graph.Value {
	conv := p.conv(x, b.name, b.fan.conv, b.fan.norm, b.fan.planes)
	if b.activation == Linear && b.fan.planes > 0 && b.fan.width == 1 { // the cost
		conv.Whole, conv.Last = true, true
	}
	y := p.Add(conv)
	switch b.activation {
	case Fires:
		y = p.fire(graph.Layer{Name: b.name, Channels: b.fan.width, Level: b.level, Images: b.fan.planes}, b.neurons, y)
	case Rectifies:
		y = p.Add(graph.Rectify{X: y})
	}
	return y
}

// Weight is a convolution of a network: how many numbers its weight has, the level of its
// grid, and the depth that is folded into the batch.
type Weight struct {
	Numbers       int64
	Level, Planes int
}

// Weighted are nodes of a network that convolve.
type Weighted interface{ Weights() []Weight }

// Weights are the convolution of the block.
func (b *ConvBlock) Weights() []Weight { return []Weight{{b.fan.numbers(), b.level, b.fan.planes}} }

// Weights are the convolutions of the cell.
func (c *cell) Weights() []Weight {
	var list []Weight
	for _, f := range c.fans {
		if f != nil {
			list = append(list, Weight{f.numbers(), c.grid, f.planes})
		}
	}
	return list
}

// numbers is how many numbers the convolution's weight has.
func (f *fan) numbers() int64 {
	shape, _ := torch.Shape(f.conv.Weight)
	n := int64(1)
	for _, size := range shape {
		n *= size
	}
	return n
}
