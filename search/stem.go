package search

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
)

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

// strides is the product of them: how many pixels of the images a pixel of level 0 is wide.
func (o *Options) strides() int {
	product := 1
	for _, stride := range o.stemStrides() {
		product *= stride
	}
	return product
}

// behindStem is what the stem leaves of a height and width: strides round up.
func (o *Options) behindStem(height, width int) (int, int) {
	by := o.strides()
	return (height + by - 1) / by, (width + by - 1) / by
}

// stem turns images into the first feature by 3x3 convolutions with normalisation,
// and neurons or a rectifier: [T*N, channels, H, W] from images [N, C, H, W]. Mostly it is
// one; the large network for ImageNet has one more (section 4.1). The last of k layers has the
// n*F channels that the cells read, and each layer before it half of those of
// the next: as the stem of DARTS grows, from which the cell comes.
//
// Direct encoding presents the same image at every step, so its current is computed
// once and repeated; without neurons that holds for all layers. Images with time
// are [T*N, C, H, W] already.
type stem []*ConvBlock

func newStem(p torch.Path, channels int, o *Options) stem {
	var t stem
	in, spiking := o.Channels, o.Stem == StemSpike && !o.analog()
	for i, stride := range o.stemStrides() {
		of, name, at := *o, "stem", p
		if i > 0 {
			name, at = fmt.Sprintf("stem%d", i), p.At("layer", i)
		}
		of.Unfused = true
		// Every step sees the same image; behind neurons the steps differ.
		of.PerStepNorm = o.PerStepNorm && (o.Temporal || spiking && i > 0)
		shape := ConvShape{In: in, Out: max(channels>>(len(o.stemStrides())-1-i), 1), Kernel: 3, Stride: stride, Activation: Rectifies}
		if spiking {
			shape.Activation = Fires
		}
		if i == 0 {
			of.Precision = Float32 // of the images
		}
		l := NewConvBlock(at, shape, of)
		l.name, l.entry, in = name, i == 0, shape.Out
		if i == 0 {
			repeats, compute := spiking && !o.Temporal, o.Precision.Compute()
			l.repeats = repeats
			l.present = func(s *torch.Scope, y torch.Tensor) torch.Tensor {
				if compute != 0 {
					y = s.Cast(y, compute) // once, before it is repeated
				}
				if repeats {
					y = s.RepeatFirst(y, l.steps)
				}
				return y
			}
		}
		t = append(t, l)
	}
	return t
}

// wire adds the layers of the stem.
func (t stem) wire(g *graph.Graph, x graph.Value, o *Options) graph.Value {
	for i, l := range t {
		x = g.Add(fmt.Sprintf("stem%d", i), l.Node(x))
	}
	if t[0].shape.Activation == Rectifies && !o.Temporal {
		x = g.Add("steps", graph.Repeat{X: x})
	}
	return x
}
