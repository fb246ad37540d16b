package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"

	"github.com/spikedhs/spikedhs/search/graph"
)

// sound reports whether the values can be drawn.
func sound(a *graph.Activity) bool {
	rate := func(r float64) bool { return r >= 0 && r <= 1 }
	for _, l := range a.Layers {
		if !rate(l.Rate) || !(l.Energy >= 0) || math.IsInf(l.Energy, 0) {
			return false
		}
	}
	return len(a.Layers) > 0 && !slices.ContainsFunc(a.Neurons, func(n graph.NeuronActivity) bool { return !rate(n.Rate) })
}

// activityView is what the page shows of it.
type activityView struct {
	Summary         string
	Neurons, Layers template.HTML
}

// newActivityView shows it; counted is what an inference is, such as an image.
func newActivityView(a *graph.Activity, counted string) *activityView {
	if a == nil {
		return nil
	}
	v := &activityView{Summary: fmt.Sprintf(
		"One %s takes %s additions of weights and %s multiply-accumulates: %s mJ at 0.9 pJ and 4.6 pJ each. The ANN of the same architecture takes %s multiply-accumulates: %s mJ, %.1f times as much.",
		counted, short(int64(math.Round(a.Additions))), short(a.MACs), significant(a.Energy), short(a.Dense), significant(a.ANNEnergy), a.Ratio)}
	var neurons, layers []barRow
	for _, l := range a.Neurons {
		neurons = append(neurons, barRow{name: l.Name, note: grid(l.Shape), share: l.Rate, value: percent(100 * l.Rate)})
	}
	if len(neurons) > 0 {
		title := fmt.Sprintf("Neurons that fire in a time step; %s of all, over %s", percent(100*a.FiringRate), plural(a.Images, counted))
		v.Neurons = drawBars(title, neurons)
	}
	most := 0.0
	for _, l := range a.Layers {
		most = max(most, l.Energy)
	}
	for _, l := range a.Layers {
		note := fmt.Sprintf("%s, s = %.3f", grid(l.Output), l.Rate)
		if l.Reads == graph.ReadsAnalog {
			note = grid(l.Output) + ", analog"
		}
		row := barRow{name: l.Name, note: note, value: significant(1000*l.Energy) + narrow + "µJ", wrong: l.Reads == graph.ReadsAnalog}
		if most > 0 {
			row.share = l.Energy / most
		}
		layers = append(layers, row)
	}
	v.Layers = drawBars("Energy of each layer for one "+counted, layers)
	return v
}

// grid writes channels, height and width.
func grid(shape [3]int) string { return fmt.Sprintf("%d×%d×%d", shape[0], shape[1], shape[2]) }

// barRow is a bar with what stands beside it.
type barRow struct {
	name, note, value string
	share             float64 // 0 to 1
	wrong             bool    // in the other colour
}

// Sizes of a chart of bars.
const (
	barRowHeight = 19.0
	barReach     = 330.0
	barValue     = 92.0 // for what stands behind a bar
	barNote      = 26   // characters
	barMargin    = 30.0 // for fonts that are wider than charWidth says
)

// drawBars draws one bar below the other, all on a scale from 0 to the longest.
func drawBars(title string, rows []barRow) template.HTML {
	name, note := 0.0, 0.0
	for _, r := range rows {
		name, note = max(name, widthOf(fit(r.name, className))), max(note, widthOf(fit(r.note, barNote)))
	}
	left := name + 14
	d := newDrawing(left+barReach+barValue+note+barMargin, barRowHeight*float64(len(rows))+8, "bars", title)
	for i, r := range rows {
		y := 4 + barRowHeight*float64(i)
		class := "bar"
		if r.wrong {
			class = "wrong"
		}
		d.text(left-8, y+13, "", "end", fit(r.name, className))
		d.add(`<rect class="ground" x="%s" y="%s" width="%s" height="11"/>`, number(left), number(y+4), number(barReach))
		d.add(`<rect class="%s" x="%s" y="%s" width="%s" height="11"/>`+"\n", class, number(left), number(y+4), number(barReach*r.share))
		d.text(left+barReach+8, y+13, "", "start", r.value)
		d.text(left+barReach+barValue, y+13, "name", "start", fit(r.note, barNote))
	}
	return d.end()
}
