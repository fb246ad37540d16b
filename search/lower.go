package search

import (
	"fmt"

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

	pad int64 // zeros on each side of the images
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
	}), pad: int64(in.Pad)}
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

// conv is a convolution with its normalisation folded in, which may be none.
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

// fire adds the neurons of a layer, or its rectifiers.
func (p *Lowering) fire(l graph.Layer, n *spike.Neurons, x graph.Value) graph.Value {
	if n.Analog {
		return p.Add(graph.Rectify{X: x})
	}
	if l.Images == 0 {
		l.Images = max(p.Views, 1)
	}
	return p.FireLayer(x, l)
}

func (h *head) lower(p *Lowering, x graph.Value, classes int) graph.Value {
	y := p.Add(graph.Pool{X: x})
	if h.neurons != nil {
		y = p.fire(graph.Layer{Name: "head"}, h.neurons, y)
	}
	weight, bias := h.norm.Fold(p.Scope(), h.linear.Weight, h.linear.Bias)
	return p.Add(graph.Classify{
		X: y, Weight: p.Constant("head.weight", weight), Bias: p.Constant("head.bias", bias), Classes: classes,
	})
}
