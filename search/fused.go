package search

import (
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// fusedCell trains a cell by one operator, spikedhs::cell: between its
// convolutions nothing but the raw currents and the spikes of the nodes goes to
// memory. Normalisation, neurons, mixture and sums are computed block by block
// in the cache, forward and backward, and the autograd graph has one node a
// cell. What it computes is what the layers compute one by one (see
// [Options.Unfused]), but without the rounding between them.
//
// The operator runs on CPUs where there are kernels of the family "cell"
// ([torch.CPUKernels]), with the statistics of the batch; other devices, evaluation and networks of rectifiers use the layers.
type fusedCell struct {
	name       string
	options    *Options
	plan       []int64 // the structure, see cpp/cpu/cell.h
	parameters []torch.Tensor
	buffers    []torch.Tensor
}

// newFusedCell prepares the operator for a cell; weightOf is the position of an
// operation's weight in the mixture, -1 where it counts fully.
func newFusedCell(name string, width int, fans []*fan, nodes []*spike.Neurons, skips []skip,
	weightOf func(src genotype.Source, r reader) int, o *Options) *fusedCell {
	c := &fusedCell{name: name, options: o}
	c.add(len(nodes), width, o.Steps, flag(o.Mixing == MixSpike), flag(o.PerStepNorm), o.planes)
	count := 0
	for _, f := range fans {
		if f != nil {
			count++
		}
	}
	c.add(count)
	for src, f := range fans {
		if f == nil {
			continue
		}
		c.add(src, int(f.conv.Options.Stride), len(f.readers))
		for _, r := range f.readers {
			c.add(r.node, weightOf(genotype.Source(src), r))
		}
		c.parameters = append(c.parameters, f.conv.Weight, f.conv.Bias, f.norm.Weight, f.norm.Bias)
		c.buffers = append(c.buffers, f.norm.Mean, f.norm.Variance)
		if f.neurons != nil {
			c.buffers = append(c.buffers, f.neurons.Temperature)
		}
	}
	c.add(len(skips))
	for _, s := range skips {
		c.add(int(s.source), s.node, s.weight)
	}
	for _, n := range nodes {
		c.buffers = append(c.buffers, n.Temperature)
	}
	return c
}

// skip is an identity edge between nodes.
type skip struct {
	source genotype.Source
	node   int
	weight int // position in the mixture, -1: counts fully
}

func (c *fusedCell) add(numbers ...int) {
	for _, n := range numbers {
		c.plan = append(c.plan, int64(n))
	}
}

func flag(on bool) int {
	if on {
		return 1
	}
	return 0
}

// serves reports whether the operator can do this pass.
func (c *fusedCell) serves(p Pass, x torch.Tensor) bool {
	if c == nil {
		return false
	}
	o := c.options
	return p.Mode == torch.Train && !o.Unfused && torch.CPUKernels("cell") && !o.analog() && o.Precision != Float16 && !o.fewLaunches(p.Scope.Device(x))
}

// forward gives the cell's output [T*N, nodes*width, H, W]; mix is softmax(alpha),
// no tensor outside of a supernet.
func (c *fusedCell) forward(s *torch.Scope, s0, s1, mix torch.Tensor) torch.Tensor {
	defer s.Blame(c.name, s.Err())
	var weights any
	if torch.Defined(mix) {
		weights = mix
	}
	compute := c.options.Precision.Compute()
	if compute == 0 {
		compute = torch.Float32
	}
	args := []any{
		s0, s1, weights, c.parameters, c.buffers, c.plan,
		c.options.Neuron.Tau, c.options.Neuron.Threshold, torch.BatchNormMomentum, torch.BatchNormEpsilon,
		compute, c.options.Recompute,
	}
	return s.Tensor("spikedhs::cell", append(args, c.options.Neuron.Surrogate.Arguments(s, s0)...)...)
}
