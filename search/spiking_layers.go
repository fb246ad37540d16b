package search

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// SpikingLayers picks layers whose surrogate gradient can be searched (package dgs) by
// patterns, see [dgs.Select]; all of them without a pattern. An unknown name is an
// error that lists what there is.
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
func (n *Network) SpikingLayers(patterns ...string) ([]*dgs.Layer, error) {
	var all []*dgs.Layer
	if n.stem.layer != nil {
		all = append(all, n.stem.layer)
	}
	for _, l := range n.stem.next {
		if l.layer != nil {
			all = append(all, l.layer)
		}
	}
	for _, c := range n.cells {
		all = append(all, c.layers...)
	}
	if len(patterns) == 0 {
		return all, nil
	}
	return dgs.Select(all, patterns...)
}

// Buffers are the tensors of the network that no optimiser changes: running
// statistics and temperatures.
func (n *Network) Buffers() []torch.Tensor {
	var list []torch.Tensor
	for _, x := range n.variables.All() {
		if !x.Trainable {
			list = append(list, x.Value)
		}
	}
	return list
}

// searched tells whether one of some layers must run by itself in this pass. A layer
// may be nil.
func searched(p Pass, layers ...*dgs.Layer) bool {
	if p.Mode != torch.Train {
		return false
	}
	for _, l := range layers {
		if l != nil && l.Active() {
			return true
		}
	}
	return false
}

// parametersOf a convolution and its normalisation, a number of output channels of
// them; dgs hands them back in this order.
func parametersOf(c *torch.Conv, n norm, first, count int) []dgs.Part {
	var list []dgs.Part
	for _, x := range []torch.Tensor{c.Weight, c.Bias, n.Weight, n.Bias} {
		list = append(list, dgs.Part{Of: x, First: first, Count: count})
	}
	return list
}

const parametersPerConv = 4

// currentOf convolves and normalises with weights in the place of a layer's own;
// planes is the depth that is folded into x.
func currentOf(s *torch.Scope, c *torch.Conv, n norm, planes int, weights []torch.Tensor, x torch.Tensor) torch.Tensor {
	inner := s.Child()
	defer inner.Close()
	other := *c
	other.Weight, other.Bias = weights[0], weights[1]
	return inner.Return(n.ofBatch(inner, other.ForwardPlanes(inner, x, planes), weights[2], weights[3]))
}

// searchable is the first layer of the stem as a layer.
func (t *stem) searchable() *dgs.Layer {
	return stemSearchable(0, t.conv, t.norm, t.neurons, t.steps, func(s *torch.Scope, y torch.Tensor) torch.Tensor {
		if t.compute != 0 {
			y = s.Cast(y, t.compute)
		}
		return t.present(s, y)
	})
}

// searchable is layer i of the stem as a layer.
func (l *stemLayer) searchable(i int) *dgs.Layer {
	return stemSearchable(i, l.conv, l.norm, l.neurons, l.steps,
		func(_ *torch.Scope, y torch.Tensor) torch.Tensor { return y })
}

// stemSearchable is a layer of the stem; present makes the current of every step of
// what the normalisation gives.
func stemSearchable(i int, conv *torch.Conv, n norm, neurons *spike.Neurons, steps int,
	present func(s *torch.Scope, y torch.Tensor) torch.Tensor) *dgs.Layer {
	return &dgs.Layer{
		Name: fmt.Sprintf("stem%d", i), Neuron: neurons.LIF, Temperature: dgs.Part{Of: neurons.Temperature}, Steps: steps,
		Parameters: parametersOf(conv, n, 0, 0),
		Current: func(s *torch.Scope, weights []torch.Tensor, inputs ...torch.Tensor) torch.Tensor {
			c := s.Child()
			defer c.Close()
			return c.Return(present(c, currentOf(c, conv, n, 0, weights, c.ChannelsLast(inputs[0]))))
		},
	}
}

// searchable makes the layers of a cell.
func (c *cell) searchable(o *Options) {
	c.byNode = make([]*dgs.Layer, len(c.nodes))
	c.byInput = map[genotype.Edge]*dgs.Layer{}
	if o.analog() {
		return
	}
	for j := range c.nodes {
		name := fmt.Sprintf("cell%d.node%d", c.index, j)
		if o.Mixing == MixMembrane {
			if c.byNode[j] = c.nodeLayer(name, j); c.byNode[j] != nil {
				c.layers = append(c.layers, c.byNode[j])
			}
			continue
		}
		edges := c.wiring.Inputs(j)
		slices.SortFunc(edges, func(a, b genotype.Edge) int { return cmp.Compare(a.Source(), b.Source()) })
		for _, edge := range edges {
			if isConv(edge.Source(), edge.Op) {
				c.byInput[edge] = c.inputLayer(fmt.Sprintf("%s.%v", name, edge.Source()), edge)
				c.layers = append(c.layers, c.byInput[edge])
			}
		}
	}
}

// rows are the channels of an edge among those of its fan.
func (c *cell) rows(edge genotype.Edge) (f *fan, first int) {
	f = c.fans[edge.Source()]
	return f, c.position(edge) * f.width
}

// inputs are what the edges into node j read.
func (c *cell) inputs(j int, sources []torch.Tensor) []torch.Tensor {
	var list []torch.Tensor
	for _, edge := range c.wiring.Inputs(j) {
		list = append(list, sources[edge.Source()])
	}
	return list
}

// Spiking are nodes of a network that have layers whose surrogate can be searched; their
// names begin with that of the node.
type Spiking interface {
	Layers(name string) []*dgs.Layer
}

// Layers are those of the cell, named node0, node1 and so on behind a prefix; see
// [Network.SpikingLayers].
func (c *cell) Layers(prefix string) []*dgs.Layer {
	inner := fmt.Sprintf("cell%d", c.index)
	for _, l := range c.layers {
		if rest, ok := strings.CutPrefix(l.Name, inner); ok {
			l.Name = prefix + rest
		}
	}
	return c.layers
}

// Layers is the block as a layer, under the given name; none where it does not fire.
func (b *ConvBlock) Layers(name string) []*dgs.Layer {
	if b.layer == nil {
		return nil
	}
	b.layer.Name = name
	return []*dgs.Layer{b.layer}
}

// searchable is the convolution and normalisation of a block with its neurons.
func (b *ConvBlock) searchable() *dgs.Layer {
	f := b.fan
	return &dgs.Layer{
		Neuron: b.neurons.LIF, Temperature: dgs.Part{Of: b.neurons.Temperature}, Steps: b.steps,
		Parameters: parametersOf(f.conv, f.norm, 0, 0),
		Current: func(s *torch.Scope, weights []torch.Tensor, inputs ...torch.Tensor) torch.Tensor {
			c := s.Child()
			defer c.Close()
			return c.Return(currentOf(c, f.conv, f.norm, f.planes, weights, c.ChannelsLast(inputs[0])))
		},
	}
}

// nodeLayer is node j, mixed at the membrane; nil where nothing but identities, or a
// registered operation, leads into it.
func (c *cell) nodeLayer(name string, j int) *dgs.Layer {
	neurons, edges := c.nodes[j], c.wiring.Inputs(j)
	l := &dgs.Layer{Name: name, Neuron: neurons.LIF, Temperature: dgs.Part{Of: neurons.Temperature}, Steps: c.steps}
	for _, edge := range edges {
		if c.others[edge] != nil {
			return nil
		}
		if isConv(edge.Source(), edge.Op) {
			f, first := c.rows(edge)
			l.Parameters = append(l.Parameters, parametersOf(f.conv, f.norm, first, f.width)...)
		}
	}
	if len(l.Parameters) == 0 {
		return nil
	}
	l.Current = func(s *torch.Scope, weights []torch.Tensor, inputs ...torch.Tensor) torch.Tensor {
		inner := s.Child()
		defer inner.Close()
		var sum torch.Tensor
		for i, edge := range edges {
			x := inputs[i]
			if isConv(edge.Source(), edge.Op) {
				f, _ := c.rows(edge)
				x = currentOf(inner, f.conv, f.norm, f.planes, weights[:parametersPerConv], x)
				weights = weights[parametersPerConv:]
			}
			sum = addTo(inner, sum, x)
		}
		return inner.Return(sum)
	}
	return l
}

// inputLayer is the convolution of an edge with neurons of its own, mixed at the spike.
func (c *cell) inputLayer(name string, edge genotype.Edge) *dgs.Layer {
	f, first := c.rows(edge)
	return &dgs.Layer{
		Name: name, Neuron: f.neurons.LIF, Steps: c.steps,
		Temperature: dgs.Part{Of: f.neurons.Temperature, First: first, Count: f.width},
		Parameters:  parametersOf(f.conv, f.norm, first, f.width),
		Current: func(s *torch.Scope, weights []torch.Tensor, inputs ...torch.Tensor) torch.Tensor {
			return currentOf(s, f.conv, f.norm, f.planes, weights, inputs[0])
		},
	}
}
