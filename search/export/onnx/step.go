package onnx

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search/graph"
)

// BinWidth is the distance between two bins of disparity, in pixels.
const BinWidth = 2

// Step is a program of two views as a model of one step: "left" and "right" [N, C, H, W] and
// a membrane for each layer of neurons, zeros at rest, to "disparity" [N, H, W] in pixels and
// the membranes after it, "next_" and the layer's name. N, H and W are free; the sizes of
// membranes follow from them, see [graph.Grids], and are those of the outputs.
func Step(p *graph.Program, metadata map[string]string) (*Model, error) {
	w := &writer{Program: p, Model: newModel(metadata), sizes: map[string]string{}}
	for _, name := range p.Inputs {
		w.Inputs = append(w.Inputs, Tensor{name, []any{"N", p.InputChannels(), "H", "W"}})
		w.names[name] = true
	}
	var after []Tensor
	for _, l := range p.Layers() {
		level := fmt.Sprint(l.Level)
		if l.Level == graph.FullLevel {
			level = "full"
		}
		images := "N"
		if l.Images > 1 {
			images = fmt.Sprintf("%d*N", l.Images)
		}
		name := graph.Attribute(l.Name)
		dims := []any{images, int64(l.Channels), "H_" + level, "W_" + level}
		w.Inputs = append(w.Inputs, Tensor{"state_" + name, dims})
		after = append(after, Tensor{"next_" + name, dims})
		w.names["state_"+name] = true
	}
	w.fire = func(o graph.Fire, x string) string {
		name := graph.Attribute(w.Layers()[o.Layer].Name)
		spikes, membrane := w.step(name, x, "state_"+name, true)
		w.name(membrane, "next_"+name)
		return spikes
	}
	w.Outputs = append([]Tensor{{w.name(w.disparity(w.walk()), "disparity"), []any{"N", "H", "W"}}}, after...)
	return w.Model, w.err
}

// State are the shapes of the membranes of [Step] in the order of its inputs, for so many
// sequences of views of a size.
func State(p *graph.Program, sequences, height, width int) [][]int64 {
	var shapes [][]int64
	for _, l := range p.Layers() {
		h, w := graph.Padded(height), graph.Padded(width)
		if l.Level != graph.FullLevel {
			g := graph.Grids(0, height, width)[l.Level]
			h, w = g.Height, g.Width
		}
		shapes = append(shapes, []int64{int64(sequences * max(l.Images, 1)), int64(l.Channels), int64(h), int64(w)})
	}
	return shapes
}

// stereo writes what only programs of two views have.
func (w *writer) stereo(o graph.Op, x string) string {
	switch o := o.(type) {
	case graph.Views:
		both := w.concat(0, x, w.value(o.Right))
		missing := w.node("missing", "Sub", []string{w.grid(graph.FullLevel), w.shape(x, -2, 0)})
		return w.node("padded", "Pad", []string{both, w.concat(0, w.ints(0, 0), missing, w.ints(0, 0, 0, 0))})
	case graph.Volume:
		return w.volume(x, o.Planes)
	case graph.Regrid:
		return w.regrid(o, x)
	case graph.Bins:
		y := w.reshape(x, w.shape(x, 2, 4), -1, int64(o.Planes))
		y = w.node("bins", "Conv", []string{y, w.weightOf(o.Mapping)})
		full := w.grid(graph.FullLevel)
		y = w.node("bins", "Resize", []string{y, "", "", w.concat(0, w.shape(y, 0, 2), full)}, attribute{"mode", "linear"},
			attribute{"coordinate_transformation_mode", "half_pixel"})
		from := w.node("border", "Sub", []string{full, w.shape(w.value(graph.Input(0)), -2, 0)})
		return w.node("cost", "Slice", []string{y, from, full, w.ints(2, 3)})
	}
	panic(fmt.Sprintf("onnx: no operators for a %T", o))
}

// volume is the feature volume, see [graph.FeatureVolume], with its planes in the batch.
func (w *writer) volume(both string, planes int) string {
	left, right := w.unique("left_features"), w.unique("right_features")
	w.add("Split", []string{left, right}, []string{both}, attribute{"axis", 0})
	const end = 1 << 40
	list := make([]string, planes)
	for i := range int64(planes) {
		l, r := left, right
		if i > 0 {
			before := w.ints(0, 0, 0, i, 0, 0, 0, 0)
			l = w.node("shifted", "Pad", []string{w.slice(left, 3, i, end), before})
			r = w.node("shifted", "Pad", []string{w.slice(right, 3, 0, -i), before})
		}
		list[i] = w.node("plane", "Unsqueeze", []string{w.concat(1, l, r), w.ints(1)})
	}
	volume := w.concat(1, list...)
	return w.reshape(volume, w.shape(volume, 2, 0), -1)
}

// planes takes the depth out of the batch: [N*planes, C, H, W] to [N, planes, C, H, W].
func (w *writer) planes(x string, planes int64) string {
	return w.reshape(x, w.shape(x, 1, 0), -1, planes)
}

// withNeighbours gives each plane the channels of its neighbours, before and behind its own:
// channels is how many it then has.
func (w *writer) withNeighbours(x string, planes, channels int64) string {
	x = w.planes(x, planes)
	x = w.node("padded", "Pad", []string{x, w.ints(0, 1, 0, 0, 0, 0, 1, 0, 0, 0)})
	var list []string
	for k := range int64(3) {
		list = append(list, w.slice(x, 1, k, k+planes))
	}
	x = w.concat(2, list...)
	return w.reshape(x, w.shape(x, 3, 0), -1, channels)
}

// lastConvolution makes one channel of many planes: a channel for each tap of the depth,
// summed over the planes that it belongs to.
func (w *writer) lastConvolution(o graph.Conv, x, name string, attributes []attribute) string {
	k := 2*o.Pad + 1
	shape := w.Scope().Shape(w.Tensor(o.Weight))
	taps := w.weight(name+"_taps", w.Tensor(o.Weight), []int64{k, shape[1] / k, k, k})
	y := w.node(name, "Conv", []string{x, taps}, attributes...)
	planes := int64(o.Planes)
	y = w.node("padded", "Pad", []string{w.planes(y, planes), w.ints(0, 1, 0, 0, 0, 0, 1, 0, 0, 0)})
	var sum string
	for tap := range k {
		part := w.slice(w.slice(y, 1, tap, tap+planes), 2, tap, tap+1)
		if tap == 0 {
			sum = part
		} else {
			sum = w.sum(sum, part)
		}
	}
	return w.sum(w.reshape(sum, w.shape(sum, 3, 0), -1, 1), w.weightOf(o.Bias))
}

// regrid is nearest interpolation from one level to another, of planes too.
func (w *writer) regrid(o graph.Regrid, x string) string {
	if o.From == o.To {
		return x
	}
	from, to := graph.PlanesAt(o.Planes, o.From), graph.PlanesAt(o.Planes, o.To)
	pick := func(x string) string {
		picks := make([]int64, to)
		for i := range picks {
			picks[i] = int64(i * from / to)
		}
		y := w.node("planes", "Gather", []string{w.planes(x, int64(from)), w.ints(picks...)}, attribute{"axis", 1})
		return w.reshape(y, w.shape(y, 2, 0), -1)
	}
	if to < from {
		x = pick(x)
	}
	x = w.nearest(x, w.grid(o.To), o.To == o.From+1)
	if to > from {
		x = pick(x)
	}
	return x
}

// disparity is the mean over the bins next to the cheapest one, weighted by the softmax of
// their costs (eq. 5): [N, bins, H, W] to [N, H, W], in pixels.
func (w *writer) disparity(cost string) string {
	count := w.node("count", "Gather", []string{w.shape(cost, 0, 0), w.int(1)})
	bins := w.cast(w.node("bins", "Range", []string{w.int(0), count, w.int(1)}), float32s)
	bins = w.node("bins", "Reshape", []string{bins, w.ints(1, -1, 1, 1)})
	best := w.cast(w.node("best", "ArgMax", []string{cost}, attribute{"axis", 1}), float32s)
	far := w.node("distance", "Abs", []string{w.node("distance", "Sub", []string{bins, best})})
	far = w.node("far", "Greater", []string{far, w.float(2)})
	near := w.node("near", "Where", []string{far, w.float(lowest), cost})
	shares := w.node("shares", "Softmax", []string{near}, attribute{"axis", 1})
	pixels := w.node("pixels", "Mul", []string{shares, w.node("disparities", "Mul", []string{bins, w.float(BinWidth)})})
	return w.node("estimate", "ReduceSum", []string{pixels, w.ints(1)}, attribute{"keepdims", 0})
}

// lowest stands for minus infinity, which the softmax turns into 0.
const lowest = -3e38
