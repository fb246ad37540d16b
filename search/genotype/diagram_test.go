package genotype

import (
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// randomDiagrams calls check with many cells of every size.
func randomDiagrams(t *testing.T, check func(t *testing.T, c Cell, d diagram)) {
	t.Helper()
	r := rand.New(rand.NewSource(4))
	for trial := range 50 * MaxNodes {
		c := randomCell(r, 1+trial%MaxNodes)
		check(t, c, layout(c))
		if t.Failed() {
			t.Fatalf("cell %v", c.Rows())
		}
	}
}

func (r rect) overlaps(o rect) bool {
	return r.x < o.x+o.w && o.x < r.x+r.w && r.y < o.y+o.h && o.y < r.y+r.h
}

func (r rect) contains(x, y float64) bool {
	return x > float64(r.x) && x < float64(r.x+r.w) && y > float64(r.y) && y < float64(r.y+r.h)
}

func (d diagram) shapes() []rect {
	var shapes []rect
	for _, b := range d.boxes {
		shapes = append(shapes, b.rect)
	}
	for _, p := range d.pills {
		shapes = append(shapes, p.rect)
	}
	return shapes
}

func TestBoxesAndLabelsDoNotOverlap(t *testing.T) {
	randomDiagrams(t, func(t *testing.T, _ Cell, d diagram) {
		shapes := d.shapes()
		for i, a := range shapes {
			for _, b := range shapes[:i] {
				assert.False(t, a.overlaps(b), "%v and %v", a, b)
			}
			assert.False(t, a.x < 0 || a.y < 0 || a.x+a.w > d.width || a.y+a.h > d.height, "%v is outside", a)
		}
	})
}

// samples walks along a wire, evaluating curves as the Bezier curves they are drawn as.
func (w wire) samples() [][2]float64 {
	const steps = 64
	var points [][2]float64
	from := w.start
	for _, l := range w.legs {
		for k := range steps + 1 {
			s := float64(k) / steps
			x0, y0, x1, y1 := float64(from.x), float64(from.y), float64(l.to.x), float64(l.to.y)
			mx := (x0 + x1) / 2
			if !l.curved {
				points = append(points, [2]float64{x0 + s*(x1-x0), y0 + s*(y1-y0)})
				continue
			}
			bezier := func(a, b, c, d float64) float64 {
				return (1-s)*(1-s)*(1-s)*a + 3*(1-s)*(1-s)*s*b + 3*(1-s)*s*s*c + s*s*s*d
			}
			points = append(points, [2]float64{bezier(x0, mx, mx, x1), bezier(y0, y0, y1, y1)})
		}
		from = l.to
	}
	return points
}

// TestWiresAvoidBoxesAndLabels lets a wire cross its own label only.
func TestWiresAvoidBoxesAndLabels(t *testing.T) {
	randomDiagrams(t, func(t *testing.T, _ Cell, d diagram) {
		for _, w := range d.wires {
			tip := w.legs[len(w.legs)-1].to
			for _, s := range d.shapes() {
				if !w.concat && s.right() == tip.x-arrowLength && s.middle() == tip.y {
					continue
				}
				for _, p := range w.samples() {
					if s.contains(p[0], p[1]) {
						assert.Fail(t, "hidden wire", "%v runs through %v at %v", w, s, p)
						return
					}
				}
			}
			for _, p := range w.samples() {
				assert.True(t, p[0] >= 0 && p[1] >= 0 && p[0] <= float64(d.width) && p[1] <= float64(d.height), "outside")
			}
		}
	})
}

func TestWiresConnectWhatTheCellSays(t *testing.T) {
	randomDiagrams(t, func(t *testing.T, c Cell, d diagram) {
		require.Len(t, d.pills, len(c.Edges))
		require.Len(t, d.wires, len(c.Edges)+c.Nodes)
		var drawn, want []wiring
		for _, w := range d.wires {
			tip := w.legs[len(w.legs)-1].to
			x := wiring{concat: w.concat, op: w.op}
			for _, b := range d.boxes {
				if b.right() == w.start.x && b.y < w.start.y && w.start.y < b.y+b.h {
					x.from = b.label
				}
				if b.x == tip.x && b.y < tip.y && tip.y < b.y+b.h {
					x.to = b.label
				}
			}
			drawn = append(drawn, x)
		}
		for _, e := range c.Edges {
			want = append(want, wiring{e.Source().String(), FromNode(e.Node()).String(), e.Op, false})
		}
		for node := range c.Nodes {
			want = append(want, wiring{FromNode(node).String(), "out", 0, true})
		}
		assert.ElementsMatch(t, want, drawn)
	})
}

type wiring struct {
	from, to string
	op       Op
	concat   bool
}

// TestEdgesDoNotShareALane looks for level stretches at one height.
func TestEdgesDoNotShareALane(t *testing.T) {
	type stretch struct{ y, from, to int }
	randomDiagrams(t, func(t *testing.T, _ Cell, d diagram) {
		var seen []stretch
		for _, w := range d.wires {
			if w.concat || len(w.legs) < 4 {
				continue
			}
			s := stretch{w.legs[0].to.y, w.legs[0].to.x, w.legs[1].to.x}
			for _, o := range seen {
				assert.False(t, s.y == o.y && s.from <= o.to && o.from <= s.to, "%v and %v", s, o)
			}
			seen = append(seen, s)
		}
	})
}
