package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// RooflineRow is a training or search step beside what the machine does in bare
// convolutions and a bare copy.
type RooflineRow struct {
	Bench     string `json:"bench"`
	Impl      string `json:"impl"`
	Task      Task   `json:"task"`
	Precision string `json:"precision"`
	Batch     int    `json:"batch"`
	Width     int    `json:"width"`
	Steps     int    `json:"steps"`
	Size      int    `json:"size"`
	Threads   int    `json:"threads"`
	Device    string `json:"device"`
	// Rate is images a second of the step.
	Rate float64 `json:"rate_per_s"`
	// GFLOPPerImage is the arithmetic of a step's convolutions and linear layers,
	// forward and backward, 10^9 operations.
	GFLOPPerImage float64 `json:"gflop_per_image"`
	// GFLOPPerS is what the step achieves, ConvGFLOPPerS what its convolutions
	// reach by themselves, each weighted by its part, and Share one over the other.
	GFLOPPerS     float64 `json:"gflop_per_s"`
	ConvGFLOPPerS float64 `json:"conv_gflop_per_s"`
	Share         float64 `json:"share_of_conv"`
	// CopyGBPerS is what a copy of 256 MB reaches, read and write counted.
	CopyGBPerS float64 `json:"copy_gb_per_s"`
	// Convs are the bare convolutions.
	Convs     []ConvRate `json:"convs"`
	PeakRSSMB float64    `json:"peak_rss_mb"`
}

// ConvRate is a bare convolution, forward and backward.
type ConvRate struct {
	// Shape is input channels, output channels, kernel, stride, output grid.
	Shape string `json:"shape"`
	// Part is its part of the network's arithmetic, GFLOPPerS its speed.
	Part      float64 `json:"part"`
	GFLOPPerS float64 `json:"gflop_per_s"`
}

const (
	// mostConvs is how many shapes are measured, those with most arithmetic first.
	mostConvs = 6
	// copyElements is the size of the tensor that is copied, float32.
	copyElements = 64 << 20
)

// Roofline sets the rate of a [Train] or [Search] case, as [Plan.Run] measured it,
// beside bare convolutions of the same shapes and precision, and a copy, each
// measured as often as the plan says.
func Roofline(ctx context.Context, c Case, measured Row, p Plan) (row RooflineRow, err error) {
	defer torch.Pin()()
	row = RooflineRow{
		Bench: "roofline", Impl: Ours, Task: c.Task, Precision: c.Precision, Batch: c.Batch, Width: c.Width, Steps: c.Steps,
		Size: c.Size, Threads: c.Threads, Device: c.Device, Rate: measured.Rate, PeakRSSMB: measured.PeakRSSMB,
	}
	device, err := setUp(c.Device, c.Threads)
	if err != nil {
		return row, err
	}
	layers, err := c.layers(device)
	if err != nil {
		return row, err
	}
	row.GFLOPPerImage = stepOperations(c, layers) / 1e9
	row.GFLOPPerS = row.GFLOPPerImage * row.Rate
	if row.Convs, err = bareConvs(ctx, c, device, layers, p); err != nil {
		return row, err
	}
	// The time for a network is that of its parts: the rates' harmonic mean.
	var parts, time float64
	for _, conv := range row.Convs {
		parts += conv.Part
		time += conv.Part / conv.GFLOPPerS
	}
	row.ConvGFLOPPerS = parts / time
	row.Share = row.GFLOPPerS / row.ConvGFLOPPerS
	row.CopyGBPerS, err = bareCopy(ctx, device, p)
	return row, err
}

// layers are those of the case's network.
func (c Case) layers(d torch.Device) ([]search.Layer, error) {
	cfg, err := c.configuration()
	if err != nil {
		return nil, err
	}
	if c.Task == Search {
		net, err := search.NewSupernet(d, c.Nodes, genotype.Downsample(cfg.Network.Downsample),
			classify.SearchOptions(cfg, channels, classes, search.Precision(c.Precision)))
		if err != nil {
			return nil, err
		}
		return net.Layers(c.Size, c.Size), net.Close()
	}
	net, err := c.network(d, cfg)
	if err != nil {
		return nil, err
	}
	return net.Layers(c.Size, c.Size), net.Close()
}

// stepOperations are the floating-point operations of a step for one image: two a
// multiply-accumulate; a backward pass forms the gradients of inputs and weights,
// each as much arithmetic as the forward pass. The images need no gradient. The
// step of alpha needs those of the inputs alone.
func stepOperations(c Case, layers []search.Layer) float64 {
	forward := 2 * float64(search.MultiplyAdds(layers, c.Steps))
	images := 2 * float64(layers[0].MultiplyAdds())
	switch c.Task {
	case Search:
		// Of the stem neither gradient is needed by alpha.
		return 3*forward - images + 2*forward - images
	case Train:
		return 3*forward - images
	}
	return forward
}

// bareConvs measures the distinct convolutions with most arithmetic.
func bareConvs(ctx context.Context, c Case, d torch.Device, layers []search.Layer, p Plan) ([]ConvRate, error) {
	part := map[search.Layer]float64{} // of the operations, by shape
	var total float64
	for _, l := range layers {
		if l.Once || l.Kernel != 3 {
			continue
		}
		l.Name = ""
		part[l] += float64(l.MultiplyAdds())
		total += float64(l.MultiplyAdds())
	}
	var shapes []search.Layer
	for l := range part {
		shapes = append(shapes, l)
	}
	slices.SortFunc(shapes, func(a, b search.Layer) int {
		return cmp.Or(cmp.Compare(part[b], part[a]), cmp.Compare(a.In, b.In), cmp.Compare(a.Out, b.Out),
			cmp.Compare(a.Height, b.Height), cmp.Compare(a.Stride, b.Stride))
	})
	var list []ConvRate
	for _, l := range shapes[:min(len(shapes), mostConvs)] {
		rate, err := bareConv(ctx, c, d, l, p)
		if err != nil {
			return nil, err
		}
		list = append(list, ConvRate{
			Shape: fmt.Sprintf("%d->%d %dx%d/%d %dx%d", l.In, l.Out, l.Kernel, l.Kernel, l.Stride, l.Height, l.Width),
			Part:  part[l] / total, GFLOPPerS: rate,
		})
	}
	return list, nil
}

// bareConv is the speed of one convolution forward and backward over the images
// of all steps, channels last, in 10^9 operations a second.
func bareConv(ctx context.Context, c Case, d torch.Device, l search.Layer, p Plan) (rate float64, err error) {
	s := torch.NewInference()
	defer func() { err = errors.Join(err, s.Close()) }()
	dtype := search.Precision(c.Precision).Type()
	make4 := func(shape ...int64) torch.Tensor {
		return s.ChannelsLast(s.Cast(torch.Uniform(1)(s, d, shape), dtype))
	}
	n := int64(c.Batch * c.Steps)
	x := make4(n, int64(l.In), int64(l.Height*l.Stride), int64(l.Width*l.Stride))
	w := make4(int64(l.Out), int64(l.In), int64(l.Kernel), int64(l.Kernel))
	gradient := make4(n, int64(l.Out), int64(l.Height), int64(l.Width))
	bias := s.Cast(s.Full(d, 0, int64(l.Out)), dtype)
	stride, pad, one := []int64{int64(l.Stride), int64(l.Stride)}, []int64{1, 1}, []int64{1, 1}
	work := &tensorWork{units: 3 * 2 * float64(l.MultiplyAdds()), run: func(k *torch.Scope) {
		k.Tensor("aten::conv2d", x, w, bias, stride, pad)
		k.Call("aten::convolution_backward", gradient, x, w, []int64{int64(l.Out)}, stride, pad, one, false,
			[]int64{0, 0}, 1, []bool{true, true, true})
	}}
	if err := inTurn(ctx, d, []*tensorWork{work}, float64(n), p.Repeats, p.Seconds/4); err != nil {
		return 0, fmt.Errorf("bench: bare convolution: %w", err)
	}
	return median(work.samples), nil
}

// bareCopy is the speed of a copy beyond the caches in GB/s.
func bareCopy(ctx context.Context, d torch.Device, p Plan) (rate float64, err error) {
	s := torch.NewInference()
	defer func() { err = errors.Join(err, s.Close()) }()
	from, to := s.Full(d, 1, copyElements), s.Full(d, 0, copyElements)
	work := &tensorWork{units: 2, run: func(k *torch.Scope) { k.CopyTo(to, from) }}
	if err := inTurn(ctx, d, []*tensorWork{work}, 4*copyElements, p.Repeats, p.Seconds/4); err != nil {
		return 0, fmt.Errorf("bench: copy: %w", err)
	}
	return median(work.samples), nil
}
