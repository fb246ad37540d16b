package search

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// Operation is a candidate operation beside those of the paper: what one edge of a cell
// computes. Register it from an init function, of any package:
//
//	var Depthwise = search.RegisterOperation(search.Operation{
//		Name: "dw5x5", Label: "dw5", Note: "depthwise 5×5",
//		Add: func(e *search.EdgeBuilder, x graph.Value) graph.Value {
//			x = e.Fire(e.Conv(x, search.ConvShape{In: e.In, Out: e.In, Kernel: 5, Groups: e.In, Stride: e.Stride}))
//			return e.Conv(x, search.ConvShape{In: e.In, Out: e.Width})
//		},
//	})
//
// Convolutions that follow each other without neurons in between are allowed; the second
// one then multiplies, which counts of energy show.
// Its cost, its inference form, its exports and its drawing follow from the nodes that Add
// adds. Cells that have it are trained and run layer by layer; the fused forms are for the
// convolutions of the paper.
type Operation struct {
	// Name is that of files and configurations; Label and Note are those of drawings.
	Name, Label, Note string
	// Temperature is b of its own neurons, where operations are mixed at the spike. Default 3.
	Temperature float64
	// Add adds the nodes that make the current of an edge (o_ij of eq. 3, before its
	// neurons): [T*N, e.Width, H, W] at the cell's grid, from x, [T*N, e.In, H*e.Stride,
	// W*e.Stride].
	Add func(e *EdgeBuilder, x graph.Value) graph.Value
}

var operations = map[genotype.Op]Operation{}

// RegisterOperation makes an operation known by its name. A name that is taken, and an
// operation without Add, panic.
func RegisterOperation(o Operation) genotype.Op {
	if o.Add == nil {
		panic(fmt.Sprintf("search: operation %q has no Add", o.Name))
	}
	op := genotype.RegisterOp(o.Name, genotype.OpInfo{Label: o.Label, Note: o.Note, Temperature: o.Temperature})
	operations[op] = o
	return op
}

// EdgeBuilder is where an [Operation] adds the nodes of one edge.
type EdgeBuilder struct {
	// In is the number of channels that the edge reads, Width that of the node it leads to.
	In, Width int
	// Stride is that which brings x to the cell's grid, 1 or 2.
	Stride int

	graph   *graph.Graph
	at      torch.Path
	options *Options
	layer   graph.Layer // of neurons, below whose name they are
	count   int
}

// Conv adds a convolution with its normalisation, or what the shape says; depth that is
// folded into the batch stays where it is.
func (e *EdgeBuilder) Conv(x graph.Value, shape ConvShape) graph.Value {
	shape.Planes, shape.Activation = 0, Linear
	name := fmt.Sprintf("conv%d", e.count)
	e.count++
	return e.graph.Add(name, NewConvBlock(e.at.Sub(name), shape, *e.options).Node(x))
}

// Fire adds neurons behind x, so that what reads them reads spikes. They
// have the temperature of nodes.
func (e *EdgeBuilder) Fire(x graph.Value) graph.Value {
	name := fmt.Sprintf("neurons%d", e.count)
	e.count++
	neurons := newNeurons(e.at.Sub(name), e.options, e.options.Temperature)
	layer := e.layer
	layer.Name += "." + name
	return e.graph.Add(name, neuronsOp{x, neurons, e.options.Steps, layer})
}

// Add adds any other node.
func (e *EdgeBuilder) Add(name string, o graph.Op) graph.Value { return e.graph.Add(name, o) }

// newEdge makes the graph of a registered operation on an edge, with neurons of its own where
// operations are mixed at the spike; nil for the operations of the paper. layer is that of
// these neurons.
func newEdge(p torch.Path, op genotype.Op, in, width, stride int, layer graph.Layer, o *Options) *graph.Graph {
	operation, ok := operations[op]
	if !ok {
		return nil
	}
	options := *o
	options.Unfused = true
	b := &EdgeBuilder{In: in, Width: width, Stride: max(stride, 1), graph: &graph.Graph{}, at: p, options: &options, layer: layer}
	y := operation.Add(b, graph.Input(0))
	if o.Mixing == MixSpike {
		y = b.graph.Add("neurons", neuronsOp{y, newNeurons(p.Sub("neurons"), o, op.Temperature()), o.Steps, layer})
	}
	b.graph.Result(y)
	return b.graph
}

// edgeOp is a registered operation as a node.
type edgeOp struct {
	X      graph.Value
	inside *graph.Graph
}

func (o edgeOp) Run(r *graph.Run) torch.Tensor {
	p := passOf(r)
	return o.inside.Forward(r.Scope, &p, r.Steps, r.At(o.X))[0]
}

func (o edgeOp) Inside() *graph.Graph { return o.inside }

// neuronsOp is a layer of neurons as a node.
type neuronsOp struct {
	X graph.Value
	*spike.Neurons
	steps int
	layer graph.Layer
}

func (o neuronsOp) Run(r *graph.Run) torch.Tensor {
	return passOf(r).fire(o.Neurons, r.At(o.X), o.steps)
}

func (o neuronsOp) Fold(l *Lowering, at func(graph.Value) graph.Value) graph.Value {
	return l.fire(o.layer, o.Neurons, at(o.X))
}

// identity reports whether an edge hands on what it reads: skip between nodes.
func identity(src genotype.Source, op genotype.Op) bool {
	return op == genotype.Skip && src != genotype.S0 && src != genotype.S1
}

// candidates are the operations of a search.
func (o *Options) candidates() []genotype.Op {
	if len(o.Candidates) == 0 {
		return genotype.Published()
	}
	return o.Candidates
}
