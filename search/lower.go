package search

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// Input says how the images of a data set become the network's input. Both are
// part of the inference form, so that users feed plain images.
type Input struct {
	// Height and Width are the data set's own.
	Height, Width int
	// Pad is the number of zeros put around the image on each side.
	Pad int
	// Mean and Deviation normalise each channel after padding.
	Mean, Deviation []float64
}

// lowering writes the inference form of a network.
type lowering struct {
	*graph.Program
	// What stands between the images and level 0: zeros on each side, and the product
	// of the stem's strides.
	pad, strides int64
}

// Program folds the network into its inference form. It copies the weights:
// training the network further does not change it.
func (n *Network) Program(in Input) (*graph.Program, error) {
	if len(in.Mean) != n.Options.Channels || len(in.Deviation) != n.Options.Channels {
		return nil, fmt.Errorf("search: normalisation has %d means and %d deviations for %d channels: %w",
			len(in.Mean), len(in.Deviation), n.Options.Channels, ErrOptions)
	}
	p := &lowering{Program: graph.New(graph.Spec{
		Steps: n.Options.Steps, Neuron: n.Options.Neuron, Inputs: []string{"images"}, CellNodes: true,
	}), pad: int64(in.Pad), strides: 1}
	for _, stride := range n.Options.stemStrides() {
		p.strides *= int64(stride)
	}
	d := n.variables.Device()
	constant := func(name string, values []float64) int {
		init := torch.Values(values...)
		return p.Constant(name, init(p.Scope(), d, []int64{1, int64(len(values)), 1, 1}))
	}
	x := graph.Input(0)
	if n.Options.Temporal {
		x = p.Add(graph.StepsFirst{X: x})
	}
	x = p.Add(graph.Prepare{X: x, Pad: in.Pad, Mean: constant("mean", in.Mean), Deviation: constant("deviation", in.Deviation)})
	s0 := n.stem.lower(p, x)
	s1 := s0
	for _, c := range n.cells {
		s0, s1 = s1, c.lower(p, s0, s1)
	}
	n.head.lower(p, s1, n.Options.Classes)
	if err := p.Scope().Err(); err != nil {
		p.Close()
		return nil, fmt.Errorf("search: fold network: %w", err)
	}
	return p.Program, nil
}

// convolve adds a convolution with its normalisation folded in.
func (p *lowering) convolve(x graph.Value, name string, c *torch.Conv, n norm) graph.Value {
	weight, bias := n.Fold(p.Scope(), c.Weight, c.Bias)
	_, images := p.Nodes()[x].Op.(graph.Prepare)
	return p.Add(graph.Conv{
		X: x, Weight: p.Constant(name+".weight", weight), Bias: p.Constant(name+".bias", bias),
		Stride: c.Options.Stride, Pad: c.Options.Padding, Whole: images,
	})
}

func (t *stem) lower(p *lowering, x graph.Value) graph.Value {
	y := p.convolve(x, "stem", t.conv, t.norm)
	present := func(x graph.Value) graph.Value {
		if t.temporal || t.steps == 1 {
			return x
		}
		return p.Add(graph.Repeat{X: x})
	}
	if t.neurons == nil {
		return present(t.lowerFurther(p, p.Add(graph.Rectify{X: y})))
	}
	return t.lowerFurther(p, p.activate("stem", t.neurons, present(y)))
}

func (t *stem) lowerFurther(p *lowering, y graph.Value) graph.Value {
	for i, l := range t.next {
		name := fmt.Sprintf("stem%d", i+1)
		y = p.convolve(y, name, l.conv, l.norm)
		if l.neurons == nil {
			y = p.Add(graph.Rectify{X: y})
		} else {
			y = p.activate(name, l.neurons, y)
		}
	}
	return y
}

// activate adds the neurons of a layer, or its rectifiers.
func (p *lowering) activate(name string, n *spike.Neurons, x graph.Value) graph.Value {
	if n.Analog {
		return p.Add(graph.Rectify{X: x})
	}
	return p.Fire(name, x)
}

func (f *fan) lower(p *lowering, x graph.Value, name string) graph.Value {
	y := p.convolve(x, name, f.conv, f.norm)
	if f.neurons != nil {
		y = p.activate(name, f.neurons, y)
	}
	return y
}

// part is the range of channels of fan output y that belongs to reader i.
func (f *fan) part(y graph.Value, i int) graph.Part {
	if len(f.readers) == 1 {
		return graph.Part{X: y}
	}
	return graph.Part{X: y, Start: i * f.width, Length: f.width}
}

func (c *cell) lower(p *lowering, s0, s1 graph.Value) graph.Value {
	sources := []graph.Value{c.lowerAlign(p, s0, c.s0), c.lowerAlign(p, s1, c.s1)}
	var outputs []graph.Value
	fanOut := func(src int) {
		y := graph.Input(0)
		if c.fans[src] != nil {
			y = c.fans[src].lower(p, sources[src], fmt.Sprintf("cell%d.from_%v", c.index, genotype.Source(src)))
		}
		outputs = append(outputs, y)
	}
	fanOut(0)
	fanOut(1)
	for j := range c.nodes {
		var sum graph.Sum
		for _, edge := range c.wiring.Inputs(j) {
			src := edge.Source()
			if isConv(src, edge.Op) {
				sum.Parts = append(sum.Parts, c.fans[src].part(outputs[src], c.position(edge)))
			} else {
				sum.Parts = append(sum.Parts, graph.Part{X: sources[src]})
			}
		}
		name := fmt.Sprintf("cell%d.%v", c.index, genotype.FromNode(j))
		sources = append(sources, p.activate(name, c.nodes[j], p.Add(sum)))
		fanOut(int(genotype.FromNode(j)))
	}
	return p.Add(graph.Concat{List: sources[2:]})
}

func (c *cell) lowerAlign(p *lowering, x graph.Value, from feature) graph.Value {
	times := c.level - from.level
	switch {
	case c.downsample != genotype.DownsampleNearest || times == 0:
		return x
	case times < 0:
		return p.Add(graph.Enlarge{X: x, Pad: p.pad, Divisor: p.strides << c.level})
	}
	return p.Add(graph.Halve{X: x, Times: times})
}

func (h *head) lower(p *lowering, x graph.Value, classes int) graph.Value {
	y := p.Add(graph.Pool{X: x})
	if h.neurons != nil {
		y = p.activate("head", h.neurons, y)
	}
	weight, bias := h.norm.Fold(p.Scope(), h.linear.Weight, h.linear.Bias)
	return p.Add(graph.Classify{
		X: y, Weight: p.Constant("head.weight", weight), Bias: p.Constant("head.bias", bias), Classes: classes,
	})
}
