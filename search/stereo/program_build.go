package stereo

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

// weights gives the folded weight and bias of a layer by its path in the network.
// That of a layer over three dimensions is flattened for depth in the batch.
type weights func(layer string, planes int) (weight, bias torch.Tensor)

// build writes the list of instructions; the constants come from w.
func (p *Program) build(w weights, mapping torch.Tensor) (*Program, error) {
	b := &builder{Program: p, weights: w, images: 2}
	p.constant = p.scope.Full(p.scope.Device(mapping), 1, 1)
	feature := b.subnet("feature", p.Genotype.Subnet(Feature), 0, b.add(joinViews{}))
	feature = b.neuronsOf("feature.last_3", b.convolve("feature.last_3", feature, convolve{}), 0)
	b.planes, b.images = p.Options.Planes(), p.Options.Planes()
	x := b.subnet("matching", p.Genotype.Subnet(Matching), b.planes, b.add(volume{feature}))
	x = b.convolve("matching.last_3", x, convolve{kernel: 3, planes: b.planes, whole: true, last: true})
	p.mapping = p.tensor("mapping", mapping)
	b.add(toBins{x})
	err := p.scope.Err()
	if err == nil && torch.IsCUDA(p.scope.Device(mapping)) {
		err = p.forDevice()
	}
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("stereo: fold network: %w", err)
	}
	return p, nil
}

type builder struct {
	*Program
	weights        weights
	planes, images int
}

// subnet lowers stems, cells and tail as [subnet] runs them.
func (b *builder) subnet(name string, g genotype.Subnet, planes int, x value) value {
	s0, s1 := b.stems(name, planes, x)
	steps := plan(g.Path, b.Options.Width, g.Cell.Nodes, 3*b.Options.Width, 3*b.Options.Width)
	for i, at := range steps {
		same := s0 == s1
		n1 := b.resize(s1, at.s1.level, at.level)
		n0 := n1
		if !same {
			n0 = b.resize(s0, at.s0.level, at.level)
		}
		s0, s1 = s1, b.cell(fmt.Sprintf("%s.cells.%d", name, i), g.Cell, at, n0, n1)
	}
	for l := steps[len(steps)-1].level; l > 0; l-- {
		tail := fmt.Sprintf("%s.tail.last_%d", name, PlaneStep<<l)
		s1 = b.resize(b.neuronsOf(tail, b.convolve(tail, s1, convolve{planes: planesAt(planes, l)}), l), l, l-1)
	}
	return s1
}

// stems lowers the layers in front of a subnet.
func (b *builder) stems(name string, planes int, x value) (s0, s1 value) {
	count, twice := 2, planes == 0 && b.Options.Stems != StemsL
	if planes == 0 && b.Options.Stems == StemsL {
		count = 3
	}
	before, last := x, x
	for i := range count {
		layer := fmt.Sprintf("%s.stem.layers.%d", name, i)
		c, level := convolve{kernel: 3, planes: planes}, 0
		if planes == 0 {
			switch i {
			case 0:
				c.whole, level = true, fullLevel
			case 1:
				c.stride = PlaneStep
			}
		}
		y := b.convolve(layer, last, c)
		if b.Options.Stem == search.StemReLU {
			y = b.add(rectify{y})
		} else {
			y = b.neuronsOf(layer, y, level)
		}
		before, last = last, y
	}
	if twice {
		return last, last
	}
	return before, last
}

// cell lowers a cell whose inputs lie on its grid, see search.Block.
func (b *builder) cell(name string, wiring genotype.Cell, at step, s0, s1 value) value {
	sources := []value{s0, s1}
	fans := map[genotype.Source]fanned{}
	fan := func(src genotype.Source) {
		f := fanned{position: map[genotype.Edge]int{}}
		for _, edge := range wiring.Edges {
			if edge.Source() == src && convolves(edge) {
				f.position[edge] = len(f.position)
			}
		}
		if len(f.position) == 0 {
			return
		}
		layer := fmt.Sprintf("%s.from_%v", name, src)
		f.value = b.convolve(layer, sources[src], convolve{kernel: 3, planes: planesAt(b.planes, at.level)})
		if b.Options.Mixing == search.MixSpike {
			f.value = b.neuronsOf(layer, f.value, at.level)
		}
		fans[src] = f
	}
	fan(genotype.S0)
	fan(genotype.S1)
	for j := range wiring.Nodes {
		var sum sum
		for _, edge := range wiring.Inputs(j) {
			src := edge.Source()
			if !convolves(edge) {
				sum.parts = append(sum.parts, part{x: sources[src]})
				continue
			}
			f, width := fans[src], at.channels
			one := part{x: f.value}
			if len(f.position) > 1 {
				one.start, one.length = f.position[edge]*width, width
			}
			sum.parts = append(sum.parts, one)
		}
		node := fmt.Sprintf("%s.%v", name, genotype.FromNode(j))
		sources = append(sources, b.fires(node, b.add(sum), at.level, at.channels))
		fan(genotype.FromNode(j))
	}
	return b.add(concatenate{sources[2:]})
}

// fanned are the convolutions that read one source, side by side.
type fanned struct {
	value    value
	position map[genotype.Edge]int
}

// convolves tells whether an edge is a convolution: all are but the identity
// between nodes.
func convolves(e genotype.Edge) bool {
	return e.Op != genotype.Skip || e.Source() == genotype.S0 || e.Source() == genotype.S1
}

// convolve adds a convolution with its normalisation folded in.
func (b *builder) convolve(layer string, x value, c convolve) value {
	weight, bias := b.weights(layer, c.planes)
	c.x, c.weight, c.bias = x, b.tensor(layer+".weight", weight), b.tensor(layer+".bias", bias)
	c.kernel, c.stride = max(c.kernel, 1), max(c.stride, 1)
	return b.add(c)
}

// neuronsOf adds the neurons behind a convolution, one for each of its channels.
func (b *builder) neuronsOf(name string, x value, level int) value {
	bias := b.tensors[b.list[x].(convolve).bias].Value
	return b.fires(name, x, level, int(b.scope.Size(bias, 0)))
}

func (b *builder) fires(name string, x value, level, channels int) value {
	images := b.images
	if b.planes > 0 {
		images = planesAt(b.planes, level)
	}
	b.neurons = append(b.neurons, layer{name, channels, level, images})
	return b.add(fire{x, len(b.neurons) - 1})
}

func (b *builder) resize(x value, from, to int) value {
	if from == to {
		return x
	}
	return b.add(regrid{x, from, to, b.planes > 0})
}

// fold looks the variables of a layer up and folds its normalisation, where it
// has one. Weights over three dimensions [O, C, 3, 3, 3] become [O, 3C, 3, 3].
func fold(s *torch.Scope, v *torch.Variables, layer string, planes int) (weight, bias torch.Tensor) {
	c := s.WithoutGradient()
	defer c.Close()
	find := func(name string) torch.Tensor {
		x, _ := v.Lookup(layer + name)
		return x.Value
	}
	weight, bias = find(".conv.weight"), find(".conv.bias")
	if scale := find(".norm.weight"); torch.Defined(scale) {
		n := torch.BatchNorm{Weight: scale, Bias: find(".norm.bias"), Mean: find(".norm.running_mean"), Variance: find(".norm.running_var")}
		weight, bias = n.Fold(c, weight, bias)
	}
	if !torch.Defined(bias) {
		bias = c.Zeros(c.Device(weight), c.Size(weight, 0))
	}
	if planes > 0 {
		weight = c.Tensor("aten::permute", weight, []int64{0, 2, 1, 3, 4})
		weight = c.Tensor("aten::flatten.using_ints", weight, 1, 2)
	}
	// Copies: a program does not change with its network.
	weight = c.ChannelsLast(c.Detach(c.Clone(weight)))
	return c.Return(weight), c.Return(c.Detach(c.Clone(bias)))
}
