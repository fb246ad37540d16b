package search

import (
	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// stem turns images into the first feature: 3x3 convolution, normalisation,
// and neurons or a rectifier.
type stem struct {
	conv    *torch.Conv
	norm    norm
	neurons *spike.Neurons // nil: ReLU
	steps   int
	compute int8       // element type that the cells convolve in, 0: float32
	layer   *dgs.Layer // nil: ReLU
}

func newStem(p torch.Path, channels int, o *Options) *stem {
	shared := *o
	shared.PerStepNorm = false // every step sees the same image
	t := &stem{
		conv:  torch.NewConv2d(p.Sub("conv"), int64(o.Channels), int64(channels), torch.ConvOptions{Kernel: 3, Padding: 1}),
		norm:  newNorm(p.Sub("norm"), channels, &shared),
		steps: o.Steps, compute: o.Precision.compute(),
	}
	if o.Stem == StemSpike {
		t.neurons = spike.NewNeurons(p.Sub("neurons"), o.Neuron, o.Temperature)
		t.layer = t.searchable("stem0")
	}
	return t
}

// forward gives [T*N, channels, H, W] from images [N, C, H, W]. Direct
// encoding presents the same image at every step, so its current is computed
// once and repeated.
func (t *stem) forward(p Pass, images torch.Tensor) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	if searched(p, t.layer) {
		return s.Return(t.layer.Forward(s, images))
	}
	y := t.norm.forward(p.in(s), t.conv.Forward(s, s.ChannelsLast(images)))
	if t.compute != 0 {
		y = s.Cast(y, t.compute) // once, before it is repeated
	}
	if t.neurons == nil {
		y = s.RepeatFirst(s.ReLU(y), t.steps)
	} else {
		y = t.neurons.Forward(s, s.RepeatFirst(y, t.steps), t.steps)
	}
	return s.Return(y)
}
