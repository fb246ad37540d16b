package search

import (
	"cmp"
	"slices"

	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// SpikingLayers picks layers of a network whose surrogate gradient can be searched (package
// dgs) by patterns, see [dgs.Select]; all of them without a pattern. An unknown name is an
// error that lists what there is. Layers are called after the nodes of the network's graph.
//
// stem0 is the first layer of the stem, where it fires, stem1 the next. cell5.node0 is the first node of cell 5;
// cells and nodes count from 0, and "cell5" is all its nodes. With operations mixed
// at the membrane a node is a layer: its weights are those of the convolutions that
// lead into it, and the surrogate is that of its neurons. With operations mixed at
// the spike the neurons that weights drive are those of the operations, so each
// convolution into a node is a layer, named by what it reads, as in
// cell5.node0.s1; "cell5.node0" is both of them. A node that only identities lead
// to has no weights, and is no layer. Heads are none either, and
// a rectifier is none.
//
// While a search has hold of a layer, its cell trains layer by layer instead of by
// one operator.
func SpikingLayers(g *graph.Graph, patterns ...string) ([]*dgs.Layer, error) {
	var all []*dgs.Layer
	for _, n := range g.Flat().Nodes() {
		if o, ok := n.Op.(spiking); ok {
			all = append(all, o.layers(n.Name)...)
		}
	}
	if len(patterns) == 0 {
		return all, nil
	}
	return dgs.Select(all, patterns...)
}

// SpikingLayers is [SpikingLayers] of the network.
func (n *Network) SpikingLayers(patterns ...string) ([]*dgs.Layer, error) {
	return SpikingLayers(n.graph, patterns...)
}

// Buffers are the tensors of the network that no optimiser changes: running
// statistics and temperatures.
func (n *Network) Buffers() []torch.Tensor { return Buffers(n.variables) }

// Buffers are the tensors that no optimiser changes.
func Buffers(v *torch.Variables) []torch.Tensor {
	var list []torch.Tensor
	for _, x := range v.All() {
		if !x.Trainable {
			list = append(list, x.Value)
		}
	}
	return list
}

// spiking is a node that is a layer, or several; they get their names from its own.
type spiking interface {
	layers(name string) []*dgs.Layer
}

func (o convOp) layers(name string) []*dgs.Layer {
	if o.searchable == nil {
		return nil
	}
	o.searchable.Name = name
	return []*dgs.Layer{o.searchable}
}

func (o nodeOp) layers(name string) []*dgs.Layer {
	if o.search != nil {
		o.search.Name = name
		return []*dgs.Layer{o.search}
	}
	var list []*dgs.Layer
	for _, e := range slices.SortedFunc(slices.Values(o.Edges), func(a, b incoming) int { return cmp.Compare(a.source, b.source) }) {
		if e.search != nil {
			e.search.Name = name + "." + e.source.String()
			list = append(list, e.search)
		}
	}
	return list
}

// searched tells whether one of some layers must run by itself in this pass. A layer
// may be nil.
func searched(p Pass, layers ...*dgs.Layer) bool {
	return p.Mode == torch.Train && slices.ContainsFunc(layers, func(l *dgs.Layer) bool { return l != nil && l.Active() })
}

// surrogateLayer is a layer whose current is the sum of what edges bring; nil where no
// weights make it, and where a registered operation has a part in it.
func surrogateLayer(neurons *spike.Neurons, temperature dgs.Part, steps int, edges ...incoming) *dgs.Layer {
	l := &dgs.Layer{Neuron: neurons.LIF, Temperature: temperature, Steps: steps}
	for _, e := range edges {
		if e.other {
			return nil
		}
		if e.wide != nil {
			l.Parameters = append(l.Parameters, e.wide.dgsParts(e.reader)...)
		}
	}
	if len(l.Parameters) == 0 {
		return nil
	}
	l.Current = func(s *torch.Scope, weights []torch.Tensor, inputs ...torch.Tensor) torch.Tensor {
		inner := s.Child()
		defer inner.Close()
		var sum torch.Tensor
		for i, e := range edges {
			x := inputs[i]
			if e.wide != nil {
				x = e.wide.currentOf(inner, weights[:parametersPerConv], x)
				weights = weights[parametersPerConv:]
			}
			sum = addTo(inner, sum, x)
		}
		return inner.Return(sum)
	}
	return l
}

// dgsParts are the parameters of a reader's convolution and normalisation, of all channels where
// there are no readers; dgs hands them back in this order.
func (b *ConvBlock) dgsParts(reader int) []dgs.Part {
	var list []dgs.Part
	for _, x := range []torch.Tensor{b.conv.Weight, b.conv.Bias, b.norm.Weight, b.norm.Bias} {
		list = append(list, b.rows(x, reader))
	}
	return list
}

const parametersPerConv = 4

// rows are a reader's part of a tensor.
func (b *ConvBlock) rows(x torch.Tensor, reader int) dgs.Part {
	if b.readers == nil {
		return dgs.Part{Of: x}
	}
	return dgs.Part{Of: x, First: reader * b.width, Count: b.width}
}

// currentOf convolves and normalises with weights in the place of the block's own.
func (b *ConvBlock) currentOf(s *torch.Scope, weights []torch.Tensor, x torch.Tensor) torch.Tensor {
	c := s.Child()
	defer c.Close()
	if b.readers == nil {
		x = c.ChannelsLast(x)
	}
	other := *b.conv
	other.Weight, other.Bias = weights[0], weights[1]
	y := b.norm.ofBatch(c, other.ForwardPlanes(c, x, b.shape.Planes), weights[2], weights[3])
	if b.present != nil {
		y = b.present(c, y)
	}
	return c.Return(y)
}
