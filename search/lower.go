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

// Lowering writes the inference form of a network.
type Lowering struct {
	*graph.Program
	// Constants gives the folded weight and bias of a convolution by its path, where they
	// are known; nil: they are folded from the network's variables.
	Constants func(layer string) (weight, bias torch.Tensor)
	// Views is how many images a sequence has in front of the volume: 0 for one.
	Views int

	// What stands between the images and level 0: zeros on each side, and the product
	// of the stem's strides.
	pad, strides int64
	edge         graph.Layer // of the neurons of a registered operation
}

// Program folds the network into its inference form. It copies the weights:
// training the network further does not change it.
func (n *Network) Program(in Input) (*graph.Program, error) {
	if len(in.Mean) != n.Options.Channels || len(in.Deviation) != n.Options.Channels {
		return nil, fmt.Errorf("search: normalisation has %d means and %d deviations for %d channels: %w",
			len(in.Mean), len(in.Deviation), n.Options.Channels, ErrOptions)
	}
	p := &Lowering{Program: graph.New(graph.Spec{
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
	if _, err := p.Fold(n.graph, x); err != nil {
		p.Close()
		return nil, err
	}
	return p.Program, nil
}

// convolve adds a convolution with its normalisation folded in, which may be none.
func (p *Lowering) convolve(x graph.Value, name string, c *torch.Conv, n norm, planes int) graph.Value {
	return p.Add(p.conv(x, name, c, n, planes))
}

// conv is the operation of [Lowering.convolve].
func (p *Lowering) conv(x graph.Value, name string, c *torch.Conv, n norm, planes int) graph.Conv {
	weight, bias := p.folded(name, c, n, planes)
	o := graph.Conv{
		X: x, Weight: p.Constant(name+".weight", weight), Bias: p.Constant(name+".bias", bias),
		Stride: max(c.Options.Stride, 1), Pad: c.Options.Padding, Planes: planes,
	}
	if c.Options.Groups > 1 {
		o.Groups = c.Options.Groups
	}
	if x >= 0 {
		switch p.Nodes()[x].Op.(type) {
		case graph.Prepare, graph.Views:
			o.Whole = true
		}
	}
	return o
}

// folded are the constants of a convolution. Where depth lies in the batch, a weight
// [O, C, 3, 3, 3] becomes [O, 3C, 3, 3].
func (p *Lowering) folded(name string, c *torch.Conv, n norm, planes int) (weight, bias torch.Tensor) {
	if p.Constants != nil {
		return p.Constants(name)
	}
	if p.Views == 0 {
		return n.Fold(p.Scope(), c.Weight, c.Bias)
	}
	s := p.Scope().WithoutGradient()
	defer s.Close()
	weight, bias = c.Weight, c.Bias
	if n.BatchNorm != nil {
		weight, bias = n.Fold(s, weight, bias)
	}
	if !torch.Defined(bias) {
		bias = s.Zeros(s.Device(weight), s.Size(weight, 0))
	}
	if planes > 0 {
		weight = s.Tensor("aten::permute", weight, []int64{0, 2, 1, 3, 4})
		weight = s.Tensor("aten::flatten.using_ints", weight, 1, 2)
	}
	// Copies: a program does not change with its network.
	weight = s.ChannelsLast(s.Detach(s.Clone(weight)))
	return s.Return(weight), s.Return(s.Detach(s.Clone(bias)))
}

func (t *stem) lower(p *Lowering, x graph.Value) graph.Value {
	y := p.convolve(x, "stem", t.conv, t.norm, 0)
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

func (t *stem) lowerFurther(p *Lowering, y graph.Value) graph.Value {
	for i, l := range t.next {
		name := fmt.Sprintf("stem%d", i+1)
		y = p.convolve(y, name, l.conv, l.norm, 0)
		if l.neurons == nil {
			y = p.Add(graph.Rectify{X: y})
		} else {
			y = p.activate(name, l.neurons, y)
		}
	}
	return y
}

// activate adds the neurons of a layer, or its rectifiers.
func (p *Lowering) activate(name string, n *spike.Neurons, x graph.Value) graph.Value {
	return p.fire(graph.Layer{Name: name}, n, x)
}

// fire is [Lowering.activate] for a layer whose membrane the program's script makes.
func (p *Lowering) fire(l graph.Layer, n *spike.Neurons, x graph.Value) graph.Value {
	if n.Analog {
		return p.Add(graph.Rectify{X: x})
	}
	if l.Images == 0 {
		l.Images = max(p.Views, 1)
	}
	return p.FireLayer(x, l)
}

func (f *fan) lower(p *Lowering, x graph.Value, l graph.Layer) graph.Value {
	y := p.convolve(x, l.Name, f.conv, f.norm, f.planes)
	if f.neurons != nil {
		l.Channels = f.width * len(f.readers)
		y = p.fire(l, f.neurons, y)
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

func (c *cell) lower(p *Lowering, s0, s1 graph.Value) graph.Value {
	name := c.name
	if name == "" {
		name = fmt.Sprintf("cell%d", c.index)
	}
	layer := func(part string) graph.Layer {
		return graph.Layer{Name: name + "." + part, Channels: c.channels, Level: c.grid, Images: c.planes}
	}
	sources := []graph.Value{c.lowerAlign(p, s0, c.s0), c.lowerAlign(p, s1, c.s1)}
	var outputs []graph.Value
	fanOut := func(src int) {
		y := graph.Input(0)
		if c.fans[src] != nil {
			y = c.fans[src].lower(p, sources[src], layer(fmt.Sprintf("from_%v", genotype.Source(src))))
		}
		outputs = append(outputs, y)
	}
	fanOut(0)
	fanOut(1)
	for j := range c.nodes {
		var sum graph.Sum
		for _, edge := range c.wiring.Inputs(j) {
			src := edge.Source()
			if other := c.others[edge]; other != nil {
				from := layer(fmt.Sprintf("%v.%v", genotype.FromNode(j), src))
				sum.Parts = append(sum.Parts, graph.Part{X: other.lower(p, sources[src], from)})
			} else if isConv(src, edge.Op) {
				sum.Parts = append(sum.Parts, c.fans[src].part(outputs[src], c.position(edge)))
			} else {
				sum.Parts = append(sum.Parts, graph.Part{X: sources[src]})
			}
		}
		node := layer(genotype.FromNode(j).String())
		sources = append(sources, p.fire(node, c.nodes[j], p.Add(sum)))
		fanOut(int(genotype.FromNode(j)))
	}
	return p.Add(graph.Concat{List: sources[2:]})
}

func (c *cell) lowerAlign(p *Lowering, x graph.Value, from feature) graph.Value {
	times := c.level - from.level
	switch {
	case c.downsample != genotype.DownsampleNearest || times == 0:
		return x
	case times < 0:
		return p.Add(graph.Enlarge{X: x, Pad: p.pad, Divisor: p.strides << c.level})
	}
	return p.Add(graph.Halve{X: x, Times: times})
}

func (h *head) lower(p *Lowering, x graph.Value, classes int) graph.Value {
	y := p.Add(graph.Pool{X: x})
	if h.neurons != nil {
		y = p.activate("head", h.neurons, y)
	}
	weight, bias := h.norm.Fold(p.Scope(), h.linear.Weight, h.linear.Bias)
	return p.Add(graph.Classify{
		X: y, Weight: p.Constant("head.weight", weight), Bias: p.Constant("head.bias", bias), Classes: classes,
	})
}
