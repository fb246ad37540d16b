package search

import (
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// head is the classifier: pool over space, fire, linear layer with batch
// normalisation at every step, mean over the steps.
type head struct {
	neurons *spike.Neurons // nil for HeadRate
	linear  *torch.Linear
	norm    norm
	steps   int
}

func newHead(p torch.Path, channels int, o *Options) *head {
	h := &head{
		linear: torch.NewLinear(p.Sub("linear"), int64(channels), int64(o.Classes)),
		norm:   newNorm(p.Sub("norm"), o.Classes, o),
		steps:  o.Steps,
	}
	if o.Head == HeadLIF {
		h.neurons = newNeurons(p.Sub("neurons"), o, o.Temperature)
	}
	return h
}

func (h *head) forward(p Pass, x torch.Tensor) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	y := s.Cast(s.GlobalAveragePool(x), torch.Float32)
	if h.neurons != nil {
		y = h.neurons.Forward(s, y, h.steps)
	}
	y = h.norm.forward(p.in(s), h.linear.Forward(s, y))
	return s.Return(graph.MeanOverSteps(s, y, h.steps))
}

// Widths of the auxiliary classifier, as in DARTS.
const (
	auxiliaryNarrow = 128
	auxiliaryWide   = 768
)

// auxiliary is the second classifier of DARTS made spiking; it helps training
// and is left out afterwards. The published one pools 8x8 by 5x5 windows at
// stride 3 to 2x2; other grids are pooled to 2x2 adaptively.
type auxiliary struct {
	after   int // index of the cell that it reads
	neurons [3]*spike.Neurons
	convs   [2]*torch.Conv
	norms   [3]norm
	linear  *torch.Linear
	steps   int
}

func newAuxiliary(p torch.Path, after, channels int, o *Options) *auxiliary {
	a := &auxiliary{after: after, steps: o.Steps}
	for i := range a.neurons {
		a.neurons[i] = newNeurons(p.At("neurons", i), o, o.Temperature)
	}
	a.convs[0] = torch.NewConv2d(p.At("conv", 0), int64(channels), auxiliaryNarrow, torch.ConvOptions{})
	a.convs[1] = torch.NewConv2d(p.At("conv", 1), auxiliaryNarrow, auxiliaryWide, torch.ConvOptions{Kernel: 2})
	a.linear = torch.NewLinear(p.Sub("linear"), auxiliaryWide, int64(o.Classes))
	for i, width := range []int{auxiliaryNarrow, auxiliaryWide, o.Classes} {
		a.norms[i] = newNorm(p.At("norm", i), width, o)
		if i < len(a.convs) {
			a.norms[i].leaveOut(a.convs[i])
		}
	}
	return a
}

func (a *auxiliary) forward(p Pass, x torch.Tensor) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	p = p.in(s)
	x = s.Cast(x, torch.Float32)
	var y torch.Tensor
	if s.Size(x, 2) == 8 && s.Size(x, 3) == 8 {
		y = s.AveragePool(x, 5, 3)
	} else {
		y = s.AdaptiveAveragePool(x, 2, 2)
	}
	y = a.neurons[0].Forward(s, y, a.steps)
	for i, conv := range a.convs {
		y = a.norms[i].behind(p, conv, y, 0)
		y = a.neurons[i+1].Forward(s, y, a.steps)
	}
	y = a.norms[2].forward(p, a.linear.Forward(s, s.Reshape(y, -1, auxiliaryWide)))
	return s.Return(graph.MeanOverSteps(s, y, a.steps))
}
