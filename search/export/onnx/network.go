package onnx

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spikedhs/spikedhs/search/graph"
)

// Network is a program of images as a model: "images" [N, C, H, W], with time [N, T, C, H, W],
// to "logits" [N, classes], a whole window from rest. N, H and W are free. The metadata goes
// into the file.
func Network(p *graph.Program, metadata map[string]string) (*Model, error) {
	w := &writer{Program: p, Model: newModel(metadata), sizes: map[string]string{}}
	w.fire = w.window
	dims := []any{"N", p.InputChannels(), "H", "W"}
	if p.Temporal() {
		dims = []any{"N", int64(p.Steps), p.InputChannels(), "H", "W"}
	}
	w.Inputs = []Tensor{{p.Inputs[0], dims}}
	w.names[p.Inputs[0]] = true
	last := w.walk()
	w.Outputs = []Tensor{{w.name(last, "logits"), []any{"N", w.classes()}}}
	return w.Model, w.err
}

// writer walks a program.
type writer struct {
	*graph.Program
	*Model
	values []string // by node
	// fire writes a layer of neurons that x drives.
	fire  func(o graph.Fire, x string) string
	sizes map[string]string // of grids, by what they are
}

// walk writes all nodes and gives the value of the last one.
func (w *writer) walk() string {
	for _, n := range w.Nodes() {
		w.values = append(w.values, w.operation(n.Op))
	}
	return w.values[len(w.values)-1]
}

// name gives a value the name of an output.
func (w *writer) name(value, output string) string {
	return w.node(output, "Identity", []string{value})
}

// classes is the number of logits.
func (w *writer) classes() int64 {
	nodes := w.Nodes()
	if o, ok := nodes[len(nodes)-1].Op.(graph.Classify); ok {
		return int64(o.Classes)
	}
	return 0
}

// value is what a model calls a value of the program.
func (w *writer) value(v graph.Value) string {
	if v < 0 {
		return w.Program.Inputs[-1-int(v)]
	}
	return w.values[v]
}

// weightOf is constant i.
func (w *writer) weightOf(i int) string {
	c := w.Constants()[i]
	return w.weight(c.Name, c.Value, nil)
}

// part is a range of channels of a value.
func (w *writer) part(p graph.Part) string {
	x := w.value(p.X)
	if p.Length == 0 {
		return x
	}
	return w.slice(x, 1, int64(p.Start), int64(p.Start+p.Length))
}

// slice is a range of one axis.
func (w *writer) slice(x string, axis, from, to int64) string {
	return w.node("part", "Slice", []string{x, w.ints(from), w.ints(to), w.ints(axis)})
}

// shape is a part of the sizes of x, from one axis on; an end of 0 is the last one.
func (w *writer) shape(x string, start, end int) string {
	attributes := []attribute{{"start", start}}
	if end != 0 {
		attributes = append(attributes, attribute{"end", end})
	}
	return w.node("shape", "Shape", []string{x}, attributes...)
}

// reshape gives x the sizes in front and behind them those that another value names.
func (w *writer) reshape(x, behind string, front ...int64) string {
	sizes := w.ints(front...)
	if behind != "" {
		sizes = w.concat(0, sizes, behind)
	}
	return w.node("reshaped", "Reshape", []string{x, sizes})
}

// concat joins values along an axis.
func (w *writer) concat(axis int, list ...string) string {
	return w.node("joined", "Concat", list, attribute{"axis", axis})
}

// sum adds two values.
func (w *writer) sum(a, b string) string { return w.node("sum", "Add", []string{a, b}) }

// operation writes a node and gives its value.
func (w *writer) operation(o graph.Op) string {
	var x string // the first value that it reads
	if reads := graph.Reads(o); len(reads) > 0 {
		x = w.value(reads[0])
	}
	switch o := o.(type) {
	case graph.StepsFirst:
		x = w.node("time_first", "Transpose", []string{x}, attribute{"perm", []int64{1, 0, 2, 3, 4}})
		return w.reshape(x, w.shape(x, 2, 0), -1)
	case graph.Prepare:
		if n := int64(o.Pad); n > 0 {
			x = w.node("padded", "Pad", []string{x, w.ints(0, 0, n, n, 0, 0, n, n)})
		}
		x = w.node("centred", "Sub", []string{x, w.weightOf(o.Mean)})
		return w.node("prepared", "Div", []string{x, w.weightOf(o.Deviation)})
	case graph.Repeat:
		return w.concat(0, slices.Repeat([]string{x}, w.Steps)...)
	case graph.Conv:
		return w.convolution(o, x)
	case graph.Fire:
		return w.fire(o, x)
	case graph.Rectify:
		return w.node("rectified", "Relu", []string{x})
	case graph.Sum:
		sum := w.part(o.Parts[0])
		for _, p := range o.Parts[1:] {
			sum = w.sum(sum, w.part(p))
		}
		return sum
	case graph.Concat:
		names := make([]string, len(o.List))
		for i, v := range o.List {
			names[i] = w.value(v)
		}
		return w.concat(1, names...)
	case graph.Halve:
		return w.nearest(x, w.halved(w.shape(x, 2, 4), o.Times), o.Times == 1)
	case graph.Enlarge:
		return w.nearest(x, w.divided(w.shape(w.value(graph.Input(0)), -2, 0), 2*o.Pad+o.Divisor-1, o.Divisor), false)
	case graph.Pool:
		return w.node("pooled", "ReduceMean", []string{x}, attribute{"axes", []int64{2, 3}}, attribute{"keepdims", 0})
	case graph.Classify:
		y := w.node("step_logits", "Gemm", []string{x, w.weightOf(o.Weight), w.weightOf(o.Bias)}, attribute{"transB", 1})
		y = w.reshape(y, "", int64(w.Steps), -1, int64(o.Classes))
		return w.node("mean_logits", "ReduceMean", []string{y}, attribute{"axes", []int64{0}}, attribute{"keepdims", 0})
	case graph.Views, graph.Volume, graph.Regrid, graph.Bins:
		return w.stereo(o, x)
	}
	panic(fmt.Sprintf("onnx: no operators for a %T", o))
}

// convolution writes a convolution over two dimensions, or over depth that lies in the
// batch.
func (w *writer) convolution(o graph.Conv, x string) string {
	name := strings.TrimSuffix(w.Constants()[o.Weight].Name, "_weight")
	attributes := []attribute{
		{"strides", []int64{max(o.Stride, 1), max(o.Stride, 1)}}, {"pads", []int64{o.Pad, o.Pad, o.Pad, o.Pad}},
	}
	if o.Last {
		return w.lastConvolution(o, x, name, attributes)
	}
	if o.Taps() > 1 {
		x = w.withNeighbours(x, int64(o.Planes), w.Scope().Size(w.Tensor(o.Weight), 1))
	}
	if o.Groups > 1 {
		attributes = append(attributes, attribute{"group", int(o.Groups)})
	}
	return w.node(name, "Conv", []string{x, w.weightOf(o.Weight), w.weightOf(o.Bias)}, attributes...)
}

// window writes neurons of a whole window from rest, as operators of each step.
func (w *writer) window(o graph.Fire, x string) string {
	layer := graph.Attribute(w.Layers()[o.Layer].Name)
	if layer == "" {
		layer = fmt.Sprintf("neurons%d", o.Layer)
	}
	currents := []string{x}
	if w.Steps > 1 {
		currents = nil
		for t := range w.Steps {
			currents = append(currents, w.unique(fmt.Sprintf("%s_current%d", layer, t)))
		}
		w.add("Split", currents, []string{x}, attribute{"axis", 0})
	}
	var v string
	spikes := make([]string, w.Steps)
	for t, current := range currents {
		spikes[t], v = w.step(layer, current, v, t+1 < w.Steps)
	}
	if w.Steps == 1 {
		return spikes[0]
	}
	return w.node(layer, "Concat", spikes, attribute{"axis", 0})
}

// step writes one step of neurons (eq. 1): v is the membrane that was left, empty at rest.
// It gives the spikes, and the membrane where that is asked for.
func (w *writer) step(layer, current, v string, membrane bool) (spikes, after string) {
	u := current
	if v != "" {
		u = w.node(layer+"_leak", "Mul", []string{v, w.float(w.Neuron.Tau)})
		u = w.node(layer+"_membrane", "Add", []string{u, current})
	}
	fires := w.node(layer+"_fires", "Greater", []string{u, w.float(w.Neuron.Threshold)})
	spikes = w.node(layer+"_spikes", "Cast", []string{fires}, attribute{"to", float32s})
	if membrane {
		after = w.node(layer+"_reset", "Where", []string{fires, w.float(0), u})
	}
	return spikes, after
}
