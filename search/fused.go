package search

import (
	"slices"

	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// fuseCell rewrites the layers of a cell to one operator behind what resizes its inputs.
func fuseCell(g *graph.Graph, name string, at place, o *Options) *graph.Graph {
	fused, op := &graph.Graph{}, fusedCell{}
	source := map[graph.Value]int{}
	if op.mixed = slices.ContainsFunc(g.Nodes(), isMix); op.mixed {
		op.Inputs = append(op.Inputs, graph.Input(0))
	}
	for i := range 2 {
		x := graph.Input(len(op.Inputs))
		source[x], op.Inputs = i, append(op.Inputs, x)
	}
	first := len(op.Inputs) - 2 // of s0
	var wide []wideConv
	var skips []skip
	var neurons []*spike.Neurons
	for i, n := range g.Nodes() {
		v := graph.Value(i)
		switch o := n.Op.(type) {
		case bringOp:
			source[v] = source[o.X]
			op.Inputs[first+source[v]] = fused.Add(n.Name, o)
		case convOp:
			w := wideConv{o.ConvBlock, source[o.X], nil}
			for _, r := range o.readers {
				w.readers = append(w.readers, reader{r.Node(), -1})
			}
			wide = append(wide, w)
		case mixOp:
			for k, place := range o.places {
				wide[len(wide)-1].readers[k].weight = place
			}
		case scaleOp:
			skips = append(skips, skip{source[o.X], o.node, o.place})
		case nodeOp:
			for _, e := range o.Edges {
				if e.wide == nil && !op.mixed {
					skips = append(skips, skip{source[e.From], len(neurons), -1})
				}
			}
			source[v] = 2 + len(neurons)
			neurons = append(neurons, o.neurons)
		}
	}
	slices.SortStableFunc(skips, func(a, b skip) int { return a.node - b.node })
	op.fusedOp = newFusedOp(name, at.channels, at.planes, wide, skips, neurons, o)
	fused.Result(fused.Add("cell", op))
	return fused
}

func isMix(n graph.Node) bool { _, ok := n.Op.(mixOp); return ok }

// fusedOp trains a cell by one operator, spikedhs::cell: between its
// convolutions nothing but the raw currents and the spikes of the nodes goes to
// memory. Normalisation, neurons, mixture and sums are computed block by block
// in the cache, forward and backward, and the autograd graph has one node a
// cell. What it computes is what the layers compute one by one (see
// [Options.Unfused]), but without the rounding between them.
//
// The operator runs on CPUs where there are kernels of the family "cell"
// ([torch.CPUKernels]), with the statistics of the batch; other devices, evaluation and
// networks of rectifiers use the layers.
type fusedOp struct {
	name       string
	options    *Options
	plan       []int64 // the structure, see cpp/cpu/cell.h
	parameters []torch.Tensor
	buffers    []torch.Tensor
}

// wideConv is a convolution of the operator, with the nodes that read its parts.
type wideConv struct {
	*ConvBlock
	source  int
	readers []reader
}

// reader is a node that gets a part; weight is the place of the operation's weight in the
// mixture, -1 where it counts fully.
type reader struct{ node, weight int }

// skip is an identity edge from a source to a node, with its weight as a reader's.
type skip struct{ source, node, weight int }

// newFusedOp prepares the operator for a cell.
func newFusedOp(name string, width, planes int, wide []wideConv, skips []skip, neurons []*spike.Neurons, o *Options) *fusedOp {
	c := &fusedOp{name: name, options: o}
	c.add(len(neurons), width, o.Steps, flag(o.Mixing == MixSpike), flag(o.PerStepNorm), planes, len(wide))
	for _, w := range wide {
		c.add(w.source, int(w.conv.Options.Stride), len(w.readers))
		for _, r := range w.readers {
			c.add(r.node, r.weight)
		}
		c.parameters = append(c.parameters, w.conv.Weight, w.conv.Bias, w.norm.Weight, w.norm.Bias)
		c.buffers = append(c.buffers, w.norm.Mean, w.norm.Variance)
		if o.Mixing == MixSpike {
			c.buffers = append(c.buffers, w.neurons.Temperature)
		}
	}
	c.add(len(skips))
	for _, s := range skips {
		c.add(s.source, s.node, s.weight)
	}
	for _, n := range neurons {
		c.buffers = append(c.buffers, n.Temperature)
	}
	return c
}

func (c *fusedOp) add(numbers ...int) {
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

// fuses reports whether the operator can do a pass over x.
func (o *Options) fuses(p Pass, x torch.Tensor) bool {
	return p.Mode == torch.Train && !o.Unfused && torch.CPUKernels("cell") && !o.analog() && o.Precision != Float16 && !o.fewLaunches(p.Scope.Device(x))
}

// forward gives the cell's output [T*N, nodes*width, H, W]; mix is softmax(alpha),
// no tensor outside of a supernet.
func (c *fusedOp) forward(s *torch.Scope, s0, s1, mix torch.Tensor) torch.Tensor {
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

// fusedCell is the operator as a node; it reads what the cell does.
type fusedCell struct {
	Inputs []graph.Value
	mixed  bool
	*fusedOp
}

func (o fusedCell) Run(r *graph.Run) torch.Tensor {
	x, mix := r.All(o.Inputs), torch.Tensor{}
	if o.mixed {
		x, mix = x[1:], x[0]
	}
	return o.forward(r.Scope, x[0], x[1], mix)
}
