package search

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// Program folds the network into its inference form. It copies the weights:
// training the network further does not change it.
func (n *Network) Program(in Input) (*Program, error) {
	if len(in.Mean) != n.Options.Channels || len(in.Deviation) != n.Options.Channels {
		return nil, fmt.Errorf("search: normalisation has %d means and %d deviations for %d channels: %w",
			len(in.Mean), len(in.Deviation), n.Options.Channels, ErrOptions)
	}
	p := newProgram(&n.Options)
	p.pad, p.strides = int64(in.Pad), 1
	for _, stride := range n.Options.stemStrides() {
		p.strides *= int64(stride)
	}
	d := n.variables.Device()
	constant := func(name string, values []float64) int {
		init := torch.Values(values...)
		return p.tensor(name, init(p.scope, d, []int64{1, int64(len(values)), 1, 1}))
	}
	x := input
	if n.Options.Temporal {
		x = p.add(timeFirst{x})
	}
	x = p.add(prepare{x: x, pad: in.Pad, mean: constant("mean", in.Mean), deviation: constant("deviation", in.Deviation)})
	s0 := n.stem.lower(p, x)
	s1 := s0
	for _, c := range n.cells {
		s0, s1 = s1, c.lower(p, s0, s1)
	}
	n.head.lower(p, s1, n.Options.Classes)
	if err := p.scope.Err(); err != nil {
		p.Close()
		return nil, fmt.Errorf("search: fold network: %w", err)
	}
	return p, nil
}

// convolve adds a convolution with its normalisation folded in.
func (p *Program) convolve(x value, name string, c *torch.Conv, n norm) value {
	weight, bias := n.Fold(p.scope, c.Weight, c.Bias)
	return p.add(convolve{
		x: x, weight: p.tensor(name+".weight", weight), bias: p.tensor(name+".bias", bias),
		stride: c.Options.Stride, pad: c.Options.Padding,
	})
}

func (t *stem) lower(p *Program, x value) value {
	y := p.convolve(x, "stem", t.conv, t.norm)
	present := func(x value) value {
		if t.temporal || t.steps == 1 {
			return x
		}
		return p.add(repeat{x})
	}
	if t.neurons == nil {
		return present(t.lowerFurther(p, p.add(rectify{y})))
	}
	return t.lowerFurther(p, p.activate("stem", t.neurons, present(y)))
}

func (t *stem) lowerFurther(p *Program, y value) value {
	for i, l := range t.next {
		name := fmt.Sprintf("stem%d", i+1)
		y = p.convolve(y, name, l.conv, l.norm)
		if l.neurons == nil {
			y = p.add(rectify{y})
		} else {
			y = p.activate(name, l.neurons, y)
		}
	}
	return y
}

// activate adds the neurons of a layer, or its rectifiers.
func (p *Program) activate(name string, n *spike.Neurons, x value) value {
	if n.Analog {
		return p.add(rectify{x})
	}
	return p.named(name, p.add(fire{x}))
}

func (f *fan) lower(p *Program, x value, name string) value {
	y := p.convolve(x, name, f.conv, f.norm)
	if f.neurons != nil {
		y = p.activate(name, f.neurons, y)
	}
	return y
}

// part is the range of channels of fan output y that belongs to reader i.
func (f *fan) part(y value, i int) part {
	if len(f.readers) == 1 {
		return part{x: y}
	}
	return part{x: y, start: i * f.width, length: f.width}
}

func (c *cell) lower(p *Program, s0, s1 value) value {
	sources := []value{c.lowerAlign(p, s0, c.s0), c.lowerAlign(p, s1, c.s1)}
	var outputs []value
	fanOut := func(src int) {
		y := value(input)
		if c.fans[src] != nil {
			y = c.fans[src].lower(p, sources[src], fmt.Sprintf("cell%d.from_%v", c.index, genotype.Source(src)))
		}
		outputs = append(outputs, y)
	}
	fanOut(0)
	fanOut(1)
	for j := range c.nodes {
		var sum add
		for _, edge := range c.wiring.Inputs(j) {
			src := edge.Source()
			if isConv(src, edge.Op) {
				sum.parts = append(sum.parts, c.fans[src].part(outputs[src], c.position(edge)))
			} else {
				sum.parts = append(sum.parts, part{x: sources[src]})
			}
		}
		name := fmt.Sprintf("cell%d.%v", c.index, genotype.FromNode(j))
		sources = append(sources, p.activate(name, c.nodes[j], p.add(sum)))
		fanOut(int(genotype.FromNode(j)))
	}
	return p.add(concatenate{sources[2:]})
}

func (c *cell) lowerAlign(p *Program, x value, from feature) value {
	times := c.level - from.level
	switch {
	case c.downsample != genotype.DownsampleNearest || times == 0:
		return x
	case times < 0:
		return p.add(enlarge{x, p.pad, p.strides << c.level})
	}
	return p.add(halve{x, times})
}

func (h *head) lower(p *Program, x value, classes int) value {
	y := p.add(pool{x})
	if h.neurons != nil {
		y = p.activate("head", h.neurons, y)
	}
	weight, bias := h.norm.Fold(p.scope, h.linear.Weight, h.linear.Bias)
	return p.add(classify{
		x: y, weight: p.tensor("head.weight", weight), bias: p.tensor("head.bias", bias), classes: classes,
	})
}
