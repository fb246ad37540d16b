package trellis

// Feature is something that a level holds; ok is false where there is none.
type Feature[F any] struct {
	Value F
	OK    bool
}

// Network is how features are computed and joined; see [Run].
type Network[F any] struct {
	// Cell computes one cell from s1, the output of the layer before at level
	// c.From, and s0, the output of level c.To before its last. s0 may be none.
	Cell func(c Cell, s0, s1 Feature[F]) F
	// Join is the sum over cells of P * output; all lead to one place.
	Join func(cells []Cell, outputs []F) F
}

// Run evaluates the supernet of a space and returns the last layer's output at
// every level. start are the features at level 0 before the first layer, the
// newest last: one or two. A level with fewer than two outputs gives no s0.
func Run[F any](t Space, start []F, n Network[F]) [Levels]Feature[F] {
	var last, before [Levels]Feature[F]
	for _, f := range start {
		before[0], last[0] = last[0], Feature[F]{f, true}
	}
	cells := t.Cells()
	for l := range t.Layers {
		var next [Levels]Feature[F]
		for to := range Levels {
			var into []Cell
			var outputs []F
			for ; len(cells) > 0 && cells[0].Layer == l && cells[0].To == to; cells = cells[1:] {
				into = append(into, cells[0])
				outputs = append(outputs, n.Cell(cells[0], before[to], last[cells[0].From]))
			}
			if len(into) > 0 {
				next[to] = Feature[F]{n.Join(into, outputs), true}
			}
		}
		before, last = last, next
	}
	return last
}
