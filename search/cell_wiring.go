package search

import (
	"fmt"
	"slices"

	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// wiring holds the variables of a cell, and writes its graph.
type wiring struct {
	place
	*graph.Graph
	count   int // of nodes
	edges   []genotype.Edge
	ops     []genotype.Op // the columns of alpha, nil: decoded
	options *Options

	wide    []*ConvBlock // by source; nil where no convolution reads it
	neurons []*spike.Neurons
	others  map[genotype.Edge]*graph.Graph // of registered operations

	sources  []graph.Value
	currents []graph.Value // of the wide convolutions
}

// newWiring makes the variables: wide convolutions, neurons, registered operations.
func newWiring(p torch.Path, at place, nodes int, edges []genotype.Edge, ops []genotype.Op, o *Options) *wiring {
	w := &wiring{place: at, Graph: &graph.Graph{}, count: nodes, edges: edges, ops: ops, options: o, others: map[genotype.Edge]*graph.Graph{}}
	for src := genotype.S0; int(src) < nodes+2; src++ {
		var readers []genotype.Edge
		for _, e := range edges {
			if e.Source() == src && isConv(src, e.Op) {
				readers = append(readers, e)
			}
		}
		name := "from_" + src.String()
		shape := ConvShape{In: at.source(src).channels, Out: at.channels, Stride: at.stride(src), Planes: at.planes, Level: at.level}
		w.wide = append(w.wide, newWideConv(p.Sub(name), at.name+"."+name, shape, readers, o))
	}
	for j := range nodes {
		w.neurons = append(w.neurons, newNeurons(p.Sub(genotype.FromNode(j).String()).Sub("neurons"), o, o.Temperature))
	}
	for _, e := range edges {
		node, src := genotype.FromNode(e.Node()).String(), e.Source()
		path := p.Sub(node).Sub(src.String())
		if ops != nil {
			path = path.Sub(e.Op.String())
		}
		layer := w.layer(node + "." + src.String())
		if other := newEdge(path, e.Op, at.source(src).channels, at.channels, at.stride(src), layer, o); other != nil {
			w.others[e] = other
		}
	}
	w.currents = make([]graph.Value, nodes+2)
	return w
}

// layer is a layer of neurons of the cell in the inference form.
func (w *wiring) layer(part string) graph.Layer {
	return graph.Layer{Name: w.name + "." + part, Channels: w.channels, Level: w.level, Images: w.planes}
}

// begin adds the inputs, each brought to the cell's grid.
func (w *wiring) begin(first int) {
	for i, from := range []feature{w.s0, w.s1} {
		x := graph.Input(first + i)
		if w.resizes && from.level != w.level {
			x = w.Add(fmt.Sprintf("s%d.resize", i), bringOp{x, from.level, w.level, w.strides})
		}
		w.sources = append(w.sources, x)
	}
}

// read adds the wide convolution that reads a source, if anybody does.
func (w *wiring) read(src genotype.Source, split bool) {
	if b := w.wide[src]; b != nil {
		w.currents[src] = w.Add("from_"+src.String(), convOp{w.sources[src], b, split})
	}
}

// other adds the registered operation of an edge.
func (w *wiring) other(e genotype.Edge) graph.Value {
	name := fmt.Sprintf("%v.%v", genotype.FromNode(e.Node()), e.Source())
	if w.ops != nil {
		name += "." + e.Op.String()
	}
	return w.Add(name, edgeOp{w.sources[e.Source()], w.others[e]})
}

// fire adds a node.
func (w *wiring) fire(j int, edges ...incoming) {
	o := nodeOp{Edges: edges, neurons: w.neurons[j], steps: w.options.Steps, layer: w.layer(genotype.FromNode(j).String())}
	if w.options.Mixing == MixMembrane && !w.options.analog() {
		o.search = surrogateLayer(o.neurons, dgs.Part{Of: o.neurons.Temperature}, o.steps, edges...)
	}
	w.sources = append(w.sources, w.Add(fmt.Sprintf("node%d", j), o))
}

// done adds the cell's output.
func (w *wiring) done() *graph.Graph {
	w.Result(w.Add("output", graph.Concat{List: w.sources[2:]}))
	return w.Graph
}

// decoded is the graph of a decoded cell.
func (w *wiring) decoded() *graph.Graph {
	w.begin(0)
	w.read(genotype.S0, true)
	w.read(genotype.S1, true)
	for j := range w.count {
		var edges []incoming
		for _, e := range w.edges {
			if e.Node() == j {
				edges = append(edges, w.incoming(e))
			}
		}
		w.fire(j, edges...)
		w.read(genotype.FromNode(j), true)
	}
	return w.done()
}

// incoming is what an edge of a decoded cell brings to its node.
func (w *wiring) incoming(e genotype.Edge) incoming {
	src := e.Source()
	in := incoming{From: w.sources[src], source: src}
	switch {
	case w.others[e] != nil:
		in.Part, in.other = graph.Part{X: w.other(e)}, true
	case isConv(src, e.Op):
		in.wide, in.reader = w.wide[src], slices.Index(w.wide[src].readers, e)
		in.Part = in.wide.part(w.currents[src], in.reader)
		if in.wide.neurons != nil && !w.options.analog() {
			in.search = surrogateLayer(in.wide.neurons, in.wide.rows(in.wide.neurons.Temperature, in.reader), w.options.Steps, in)
		}
	default:
		in.Part = graph.Part{X: in.From}
	}
	return in
}

// mixed is the graph of a cell of a supernet. What the edges from a source bring is added
// to the sums of the nodes that they lead to as soon as it is there.
func (w *wiring) mixed() *graph.Graph {
	w.begin(1)
	sums := make([][]graph.Part, w.count) // none, or the one so far
	w.spread(genotype.S0, sums)
	w.spread(genotype.S1, sums)
	for j := range w.count {
		w.fire(j, incoming{Part: sums[j][0], From: sums[j][0].X, other: true})
		w.spread(genotype.FromNode(j), sums)
	}
	return w.done()
}

// spread adds what the edges from src bring to the nodes that they lead to.
func (w *wiring) spread(src genotype.Source, sums [][]graph.Part) {
	w.read(src, false)
	var mix graph.Value
	if b := w.wide[src]; b != nil {
		o := mixOp{X: w.currents[src], Weights: graph.Input(0), wide: b}
		for _, r := range b.readers {
			o.places = append(o.places, w.weightOf(r))
		}
		mix = w.Add("from_"+src.String()+".mix", o)
	}
	first := max(int(src)-1, 0)
	for j := first; j < w.count; j++ {
		var parts []graph.Part
		if w.wide[src] != nil {
			parts = append(parts, graph.Part{X: mix, Start: (j - first) * w.channels, Length: w.channels})
		}
		name := fmt.Sprintf("%v.%v", genotype.FromNode(j), src)
		for _, others := range []bool{false, true} {
			for _, e := range w.edges {
				if e.Node() != j || e.Source() != src || others != (w.others[e] != nil) || isConv(src, e.Op) {
					continue
				}
				x := w.sources[src]
				if others {
					x = w.other(e)
				}
				parts = append(parts, graph.Part{X: w.Add(name+".weighted", scaleOp{
					X: x, Weights: graph.Input(0), place: w.weightOf(e), columns: len(w.ops), node: j, other: others,
				})})
			}
		}
		if len(parts) > 1 {
			parts = []graph.Part{{X: w.Add(name+".sum", graph.Sum{Parts: parts})}}
		}
		if sums[j] = append(sums[j], parts...); len(sums[j]) > 1 {
			sums[j] = []graph.Part{{X: w.Add(name+".total", graph.Sum{Parts: sums[j]})}}
		}
	}
}

// weightOf is the place of an operation's weight among those of all edges.
func (w *wiring) weightOf(e genotype.Edge) int { return e.Index*len(w.ops) + slices.Index(w.ops, e.Op) }
