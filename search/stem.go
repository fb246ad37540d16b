package search

import (
	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// stem turns images into the first feature: 3x3 convolution, normalisation,
// and neurons or a rectifier. Further layers of the kind may follow; the large
// network for ImageNet has one more (section 4.1). The last of k layers has the
// n*F channels that the cells read, and each layer before it half of those of
// the next: as the stem of DARTS grows, from which the cell comes.
type stem struct {
	conv    *torch.Conv
	norm    norm
	neurons *spike.Neurons // nil: ReLU
	steps   int
	// temporal: the input has time, and so has its current.
	temporal bool
	compute  int8         // element type that the cells convolve in, 0: float32
	layer    *dgs.Layer   // nil: ReLU
	next     []*stemLayer // the layers after the first
}

// stemLayer is a layer of the stem that reads the one before it.
type stemLayer struct {
	conv    *torch.Conv
	norm    norm
	neurons *spike.Neurons // nil: ReLU
	layer   *dgs.Layer     // nil: ReLU
	steps   int
}

// maxStemStride is the largest stride of a stem's layer: its 3x3 windows then
// still touch each other.
const maxStemStride = 3

// stemStrides are the strides of all layers of the stem.
func (o *Options) stemStrides() []int {
	if len(o.StemStrides) == 0 {
		return []int{1}
	}
	return o.StemStrides
}

// stemWidth is the number of channels that layer i makes when the last makes
// channels.
func (o *Options) stemWidth(i, channels int) int {
	return max(channels>>(len(o.stemStrides())-1-i), 1)
}

func newStem(p torch.Path, channels int, o *Options) *stem {
	shared := *o
	if !o.Temporal {
		shared.PerStepNorm = false // every step sees the same image
	}
	strides, first := o.stemStrides(), o.stemWidth(0, channels)
	t := &stem{
		conv: torch.NewConv2d(p.Sub("conv"), int64(o.Channels), int64(first),
			torch.ConvOptions{Kernel: 3, Stride: int64(strides[0]), Padding: 1}),
		steps: o.Steps, temporal: o.Temporal, compute: o.Precision.Compute(),
	}
	t.norm = newNormBehind(t.conv, p.Sub("norm"), first, &shared)
	spiking := o.Stem == StemSpike && !o.analog()
	if spiking {
		shared.PerStepNorm = o.PerStepNorm // behind neurons the steps differ
		t.neurons = newNeurons(p.Sub("neurons"), o, o.Temperature)
		t.layer = t.searchable()
	}
	for i, stride := range strides[1:] {
		at, in, out := p.At("layer", i+1), o.stemWidth(i, channels), o.stemWidth(i+1, channels)
		l := &stemLayer{
			conv: torch.NewConv2d(at.Sub("conv"), int64(in), int64(out),
				torch.ConvOptions{Kernel: 3, Stride: int64(stride), Padding: 1, Compute: o.Precision.Compute()}),
			steps: o.Steps,
		}
		l.norm = newNormBehind(l.conv, at.Sub("norm"), out, &shared)
		if spiking {
			l.neurons = newNeurons(at.Sub("neurons"), o, o.Temperature)
			l.layer = l.searchable(i + 1)
		}
		t.next = append(t.next, l)
	}
	return t
}

// forward gives [T*N, channels, H, W] from images [N, C, H, W]. Direct
// encoding presents the same image at every step, so its current is computed
// once and repeated; without neurons that holds for all layers. Images with time
// are [T*N, C, H, W] already.
func (t *stem) forward(p Pass, images torch.Tensor) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	if searched(p, t.layer) {
		return s.Return(t.further(p.in(s), t.layer.Forward(s, images)))
	}
	y := t.norm.behind(p.in(s), t.conv, s.ChannelsLast(images), 0)
	if t.compute != 0 {
		y = s.Cast(y, t.compute) // once, before it is repeated
	}
	if t.neurons == nil {
		return s.Return(t.present(s, t.further(p.in(s), s.ReLU(y))))
	}
	return s.Return(t.further(p.in(s), t.neurons.Forward(s, t.present(s, y), t.steps)))
}

// further runs the layers after the first.
func (t *stem) further(p Pass, y torch.Tensor) torch.Tensor {
	for _, l := range t.next {
		y = l.forward(p, y)
	}
	return y
}

func (l *stemLayer) forward(p Pass, x torch.Tensor) torch.Tensor {
	s := p.Scope.Child()
	defer s.Close()
	if searched(p, l.layer) {
		return s.Return(l.layer.Forward(s, x))
	}
	y := l.norm.behind(p.in(s), l.conv, x, 0)
	if l.neurons == nil {
		return s.Return(s.ReLU(y))
	}
	return s.Return(l.neurons.Forward(s, y, l.steps))
}

// present gives every time step its current.
func (t *stem) present(s *torch.Scope, y torch.Tensor) torch.Tensor {
	if t.temporal {
		return y
	}
	return s.RepeatFirst(y, t.steps)
}
