package search

import (
	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

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
	Planes         int // see CellShape
	Level          int // of the output's grid
	// Groups divides channels into groups that do not see each other; In of them is a
	// depthwise convolution. Default 1; volumes have no groups.
	Groups         int
	NoBias, NoNorm bool
	Activation     BlockActivation
}

// ConvBlock is a convolution with what follows it: its normalisation and its activation.
// Layers of stems and tails are such blocks.
//
// So are all the convolutions of a cell that read one feature: a single wide one with their
// output channels side by side, one batch normalisation and, when operations are mixed at
// the spike, one layer of neurons with a temperature per channel. Each channel computes what
// it would in a convolution of its own; one wide convolution is several times faster than
// many narrow ones.
type ConvBlock struct {
	name       string // of its constants and its membranes in the inference form
	shape      ConvShape
	conv       *torch.Conv
	norm       norm // without a BatchNorm: none
	neurons    *spike.Neurons
	steps      int
	present    func(s *torch.Scope, y torch.Tensor) torch.Tensor // the current of every step; nil: y is that
	repeats    bool                                              // what present does to the inference form
	searchable *dgs.Layer                                        // by a search of surrogates, nil: it is not
	fused      *fusedOp                                          // the block as one operator; nil: layer by layer

	entry bool // not all that it reads lies channels last

	// Of a cell: the edges whose operations lie side by side, and the channels of each.
	readers []genotype.Edge
	width   int
}

// NewConvBlock makes the block below p. Of the options it reads those of neurons,
// normalisation and precision.
func NewConvBlock(p torch.Path, shape ConvShape, o Options) *ConvBlock {
	o.Mixing = MixMembrane // there is nothing to mix
	b := newConv(p, p.Name(), shape, &o, o.Temperature)
	b.entry = true
	if shape.Activation == Fires && !shape.NoNorm && !shape.NoBias {
		b.searchable = surrogateLayer(b.neurons, dgs.Part{Of: b.neurons.Temperature}, b.steps, incoming{wide: b})
		b.fused = newFusedOp(p.Name(), shape.Out, shape.Planes, []wideConv{{b, 1, []reader{{0, -1}}}}, nil, []*spike.Neurons{b.neurons}, &o)
	}
	return b
}

// newConv makes the variables of a block.
func newConv(p torch.Path, name string, shape ConvShape, o *Options, temperatures ...float64) *ConvBlock {
	b := &ConvBlock{name: name, shape: shape, steps: o.Steps, width: shape.Out}
	make := torch.NewConv2d
	if shape.Planes > 0 {
		make = torch.NewConv3d
	}
	b.conv = make(p.Sub("conv"), int64(shape.In), int64(shape.Out), torch.ConvOptions{
		Kernel: int64(max(shape.Kernel, 1)), Stride: int64(shape.Stride), Padding: int64(shape.Kernel / 2),
		NoBias: shape.NoBias, Compute: o.Precision.Compute(), Groups: int64(shape.Groups),
	})
	if !shape.NoNorm {
		b.norm = newNormBehind(b.conv, p.Sub("norm"), shape.Out, o)
	}
	if shape.Activation == Fires {
		b.neurons = newNeurons(p.Sub("neurons"), o, temperatures...)
	}
	return b
}

// newWideConv makes the convolution of all readers of a feature of a cell below p; nil where
// nobody reads.
func newWideConv(p torch.Path, name string, shape ConvShape, readers []genotype.Edge, o *Options) *ConvBlock {
	if len(readers) == 0 {
		return nil
	}
	width := shape.Out
	shape.Kernel, shape.Activation, shape.Out = 3, Linear, width*len(readers)
	var temperatures []float64
	if o.Mixing == MixSpike {
		shape.Activation = Fires
		for _, r := range readers {
			for range width {
				temperatures = append(temperatures, surrogateOf(r.Op))
			}
		}
	}
	b := newConv(p, name, shape, o, temperatures...)
	b.readers, b.width = readers, width
	return b
}

// surrogateOf is the temperature of an operation's own neurons. Where skip is
// a convolution that aligns channels, it has b = 3 like snn_b3.
func surrogateOf(op genotype.Op) float64 {
	if op == genotype.Skip {
		return genotype.B3.Temperature()
	}
	return op.Temperature()
}

// isConv reports whether an operation on an edge from src is a 3x3 convolution:
// those of the paper are but skip between nodes, which is the identity. A skip from s0 or s1
// aligns channels and grid by a convolution (the preprocessing of DARTS merged
// into the operation, section 3.2.1).
func isConv(src genotype.Source, op genotype.Op) bool {
	return op.Published() && !identity(src, op)
}

// Forward gives [T*N, Out, H, W], in the precision of the options, from [T*N, In, H, W]:
// spikes, or currents where nothing fires.
func (b *ConvBlock) Forward(p Pass, x torch.Tensor) torch.Tensor {
	if searched(p, b.searchable) {
		return b.searchable.Forward(p.Scope, x)
	}
	if b.fused != nil && b.fused.options.fuses(p, x) {
		return b.fused.forward(p.Scope, x, x, torch.Tensor{})
	}
	s := p.Scope.Child()
	defer s.Close()
	p = p.in(s)
	if b.entry { // cells and stems hand on what lies channels last
		x = s.ChannelsLast(x)
	}
	var y torch.Tensor
	if b.norm.BatchNorm != nil {
		y = b.norm.behind(p, b.conv, x, b.shape.Planes)
	} else {
		y = b.conv.ForwardPlanes(s, x, b.shape.Planes)
	}
	if b.present != nil {
		y = b.present(s, y)
	}
	switch b.shape.Activation {
	case Fires:
		y = p.fire(b.neurons, y, b.steps)
	case Rectifies:
		y = s.ReLU(y)
	}
	return s.Return(y)
}

// convOp is a block as a node. Where split says so, its readers find their parts.
type convOp struct {
	X graph.Value
	*ConvBlock
	split bool
}

// Node is the block as a node of a network.
func (b *ConvBlock) Node(x graph.Value) graph.Op { return convOp{x, b, false} }

func (o convOp) Run(r *graph.Run) torch.Tensor { return o.Forward(passOf(r), r.At(o.X)) }

// Cut is one split, which has one backward pass; cutting each part out by itself would have
// as many, each over the whole tensor.
func (o convOp) Cut(r *graph.Run, y torch.Tensor) []torch.Tensor {
	if !o.split || len(o.readers) == 1 {
		return nil
	}
	return r.Scope.Split(y, 1, o.width)
}

func (o convOp) Fold(l *Lowering, at func(graph.Value) graph.Value) graph.Value {
	conv := l.conv(at(o.X), o.name, o.conv, o.norm, o.shape.Planes)
	if o.shape.Activation == Linear && o.shape.Planes > 0 && o.shape.Out == 1 && o.readers == nil { // the cost
		conv.Whole, conv.Last = true, true
	}
	y := l.Add(conv)
	if o.repeats && o.steps > 1 {
		y = l.Add(graph.Repeat{X: y})
	}
	switch o.shape.Activation {
	case Fires:
		y = l.fire(graph.Layer{Name: o.name, Level: o.shape.Level, Images: o.shape.Planes}, o.neurons, y)
	case Rectifies:
		y = l.Add(graph.Rectify{X: y})
	}
	return y
}

// part is the range of channels of a wide convolution y that belongs to reader i.
func (b *ConvBlock) part(y graph.Value, i int) graph.Part {
	if len(b.readers) == 1 {
		return graph.Part{X: y}
	}
	return graph.Part{X: y, Start: i * b.width, Length: b.width}
}
