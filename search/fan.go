package search

import (
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// reader is one convolutional operation that reads a feature: the edge from it
// into a node, with one candidate operation.
type reader struct {
	node int
	op   genotype.Op
}

// fan holds all the convolutional operations that read one feature, as a
// single convolution with their output channels side by side, one batch
// normalisation and, when operations are mixed at the spike, one layer of
// neurons with a temperature per channel. Each channel computes what it would
// in a convolution of its own; one wide convolution is several times faster
// than many narrow ones.
type fan struct {
	readers []reader
	width   int // channels of one reader
	planes  int // see Options
	conv    *torch.Conv
	norm    norm
	neurons *spike.Neurons // nil when mixed at the membrane
	steps   int
}

// newFan makes the fan below p; nil when nobody reads.
func newFan(p torch.Path, in, width, stride int, readers []reader, o *Options) *fan {
	if len(readers) == 0 {
		return nil
	}
	out := width * len(readers)
	f := &fan{readers: readers, width: width, planes: o.planes, steps: o.Steps}
	options := torch.ConvOptions{Kernel: 3, Stride: int64(stride), Padding: 1, Compute: o.Precision.Compute()}
	if o.planes > 0 {
		f.conv = torch.NewConv3d(p.Sub("conv"), int64(in), int64(out), options)
	} else {
		f.conv = torch.NewConv2d(p.Sub("conv"), int64(in), int64(out), options)
	}
	f.norm = newNormBehind(f.conv, p.Sub("norm"), out, o)
	if o.Mixing == MixSpike {
		temperatures := make([]float64, 0, out)
		for _, r := range readers {
			for range width {
				temperatures = append(temperatures, surrogateOf(r.op))
			}
		}
		f.neurons = newNeurons(p.Sub("neurons"), o, temperatures...)
	}
	return f
}

// surrogateOf is the temperature of an operation's own neurons. Where skip is
// a convolution that aligns channels, it has b = 3 like snn_b3.
func surrogateOf(op genotype.Op) float64 {
	if op == genotype.Skip {
		return genotype.B3.Temperature()
	}
	return op.Temperature()
}

// forward gives the spikes (mixed at the spike) or currents (mixed at the
// membrane) of all readers: [T*N, readers*width, H, W].
func (f *fan) forward(p Pass, x torch.Tensor) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	y := f.norm.behind(p.in(s), f.conv, x, f.planes)
	if f.neurons != nil {
		y = p.in(s).fire(f.neurons, y, f.steps)
	}
	return s.Return(y)
}

// split cuts forward's result into the parts of the readers. One split has one
// backward pass; cutting each part out by itself would have as many, each over
// the whole tensor.
func (f *fan) split(s *torch.Scope, y torch.Tensor) []torch.Tensor {
	if len(f.readers) == 1 {
		return []torch.Tensor{y}
	}
	return s.Split(y, 1, f.width)
}

// addTo adds y to a running sum that may be empty. A sum that s owns is freed.
func addTo(s *torch.Scope, sum, y torch.Tensor) torch.Tensor {
	if !torch.Defined(sum) {
		return y
	}
	total := s.Add(sum, y)
	s.Free(sum)
	return total
}

// isConv reports whether an operation on an edge from src is a 3x3 convolution:
// those of the paper are but skip between nodes, which is the identity. A skip from s0 or s1
// aligns channels and grid by a convolution (the preprocessing of DARTS merged
// into the operation, section 3.2.1).
func isConv(src genotype.Source, op genotype.Op) bool {
	return op.Published() && !identity(src, op)
}
