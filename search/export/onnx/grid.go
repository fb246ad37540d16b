package onnx

import (
	"fmt"

	"github.com/spikedhs/spikedhs/search/graph"
)

// divided is (size + plus) / by of sizes [H, W], rounded down.
func (w *writer) divided(size string, plus, by int64) string {
	if plus != 0 {
		size = w.node("size", "Add", []string{size, w.ints(plus)})
	}
	if by != 1 {
		size = w.node("size", "Div", []string{size, w.ints(by)})
	}
	return size
}

// halved is sizes halved, rounded up, as often as told.
func (w *writer) halved(size string, times int) string {
	for range times {
		size = w.divided(size, 1, 2)
	}
	return size
}

// nearest brings x to sizes [h, w] by nearest interpolation: row i comes from row
// i*H/h, rounded down. ONNX's own operator multiplies by the inverse of the rounded h/H,
// which can end below a whole number. It cannot where a size is halved once (half): no
// i*H/h but 0 is whole there unless it is even.
func (w *writer) nearest(x, size string, half bool) string {
	if half {
		all := w.concat(0, w.shape(x, 0, 2), size)
		return w.node("halved", "Resize", []string{x, "", "", all}, attribute{"mode", "nearest"},
			attribute{"coordinate_transformation_mode", "asymmetric"}, attribute{"nearest_mode", "floor"})
	}
	have := w.shape(x, 2, 4)
	ratio := w.node("ratio", "Div", []string{w.cast(have, float32s), w.cast(size, float32s)})
	for k := range 2 {
		axis := w.int(int64(k))
		pick := func(list string) string { return w.node("of_axis", "Gather", []string{list, axis}) }
		rows := w.node("rows", "Range", []string{w.int(0), pick(size), w.int(1)})
		from := w.node("from", "Mul", []string{w.cast(rows, float32s), pick(ratio)})
		from = w.cast(w.node("from", "Floor", []string{from}), int64s)
		last := w.node("last", "Sub", []string{pick(have), w.int(1)})
		from = w.node("from", "Min", []string{from, last})
		x = w.node("resized", "Gather", []string{x, from}, attribute{"axis", 2 + k})
	}
	return x
}

func (w *writer) cast(x string, kind int) string {
	return w.node("cast", "Cast", []string{x}, attribute{"to", kind})
}

// grid is the size [H, W] of a level of the trellis, from that of the views; see [graph.Grids].
func (w *writer) grid(level int) string {
	key := fmt.Sprint("grid", level)
	if _, known := w.sizes[key]; !known {
		switch level {
		case graph.FullLevel:
			size := w.divided(w.shape(w.value(graph.Input(0)), -2, 0), graph.Multiple-1, graph.Multiple)
			w.sizes[key] = w.node("padded_size", "Mul", []string{size, w.ints(graph.Multiple)})
		case 0:
			w.sizes[key] = w.divided(w.grid(graph.FullLevel), 0, graph.PlaneStep)
		default:
			w.sizes[key] = w.halved(w.grid(level-1), 1)
		}
	}
	return w.sizes[key]
}
