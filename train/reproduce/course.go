package reproduce

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spikedhs/spikedhs/train/report"
)

// stem is the first layer of neurons, which figure 4 watches.
const stem = "stem0"

// courseTable is figure 4 in numbers: the temperature behind every phase of every
// seed, and the gradient of the first stem.
func courseTable(r *Result) []Table {
	temperatures := temperatureTable(r, "Figure 4a: temperature of the searched layer after each DGS phase")
	course := Table{
		Title:   r.heading("Figure 4b: gradient norm of the first stem's weights, and accuracy"),
		Columns: []Column{{"network", true}, {"epoch", false}, {"gradient norm", false}, {"neurons inside the surrogate's support [%]", false}, {"accuracy", false}},
		Notes:   r.notes(),
	}
	for _, row := range r.rows() {
		for _, number := range row.epochs() {
			at := func(value func(epoch) (float64, bool)) Summary { return row.at(number, value) }
			gradient, support := at(gradientOf(stem)), at(supportOf(stem))
			share := Summary{support.N, 100 * support.Mean, 100 * support.Deviation}
			line := []string{row.Label, fmt.Sprintf("%.0f", number), gradient.text("%.4g", "%.2g"), share.text("%.1f", "%.1f"), at(accuracyOf).String()}
			course.Rows = append(course.Rows, line)
		}
	}
	return filled(temperatures, course)
}

// temperatureTable is what DGS did to the temperatures, run by run.
func temperatureTable(r *Result, what string) Table {
	t := Table{
		Title:   r.heading(what),
		Columns: []Column{{"network", true}, {"layer", true}, {"seed", false}, {"temperatures", true}},
		Notes: []string{"The first number is the temperature that the training began with; DGS moves it by at most 0.4 in a phase. " +
			paperTemperatures},
	}
	for _, row := range r.Rows {
		for _, one := range row.ended() {
			for _, layer := range one.searched() {
				t.Rows = append(t.Rows, []string{row.Label, layer, fmt.Sprint(one.Seed), one.temperatures(layer)})
			}
		}
	}
	return t
}

// searched are the layers that DGS searched in a run.
func (o *Outcome) searched() []string {
	layers := map[string]bool{}
	for _, p := range o.phases {
		for _, l := range p.layers {
			layers[l.Layer] = true
		}
	}
	return slices.Sorted(maps.Keys(layers))
}

// course are the phases that searched a layer, and what they did to it.
func (o *Outcome) course(layer string) (epochs []float64, of []phaseLayer) {
	for _, p := range o.phases {
		for _, l := range p.layers {
			if l.Layer == layer {
				epochs, of = append(epochs, p.epoch), append(of, l)
			}
		}
	}
	return epochs, of
}

// temperatures is the course of a layer's temperature, as text.
func (o *Outcome) temperatures(layer string) string {
	text := ""
	_, phases := o.course(layer)
	for _, l := range phases {
		if text == "" {
			text = fmt.Sprintf("%.4g", l.Before)
		}
		text += fmt.Sprintf(", %.4g", l.After)
	}
	return text
}

// Values of an epoch.
func accuracyOf(e epoch) (float64, bool) { return e.top1, e.tested }

func gradientOf(layer string) func(epoch) (float64, bool) {
	return func(e epoch) (float64, bool) { x, ok := e.gradient[layer]; return x, ok }
}

func supportOf(layer string) func(epoch) (float64, bool) {
	return func(e epoch) (float64, bool) { x, ok := e.support[layer]; return x, ok }
}

// epochs are the numbers of all epochs that ended runs of the row have recorded.
func (r *RowResult) epochs() []float64 {
	numbers := map[float64]bool{}
	for _, one := range r.ended() {
		for _, e := range one.epochs {
			numbers[e.number] = true
		}
	}
	return slices.Sorted(maps.Keys(numbers))
}

// at summarizes a value of an epoch over the ended runs.
func (r *RowResult) at(number float64, value func(epoch) (float64, bool)) Summary {
	return r.summary(func(o Outcome) (float64, bool) {
		for _, e := range o.epochs {
			if e.number == number {
				return value(e)
			}
		}
		return 0, false
	})
}

// courseFigures are the drawings of figure 4.
func courseFigures(r *Result) ([]Figure, error) {
	var temperatures []report.Series
	for _, row := range r.Rows {
		for _, one := range row.ended() {
			for _, layer := range one.searched() {
				s := report.Series{Name: fmt.Sprintf("%s, seed %d", layer, one.Seed)}
				epochs, phases := one.course(layer)
				s.X = epochs
				for _, l := range phases {
					s.Y = append(s.Y, l.After)
				}
				temperatures = append(temperatures, s)
			}
		}
	}
	return lineFigures([]lines{
		{"fig4-temperature", "Temperature after each DGS phase", temperatures},
		{"fig4-gradient", "Gradient norm of the first stem, mean over seeds", r.series(gradientOf(stem))},
		{"fig4-accuracy", "Accuracy on the test images in percent, mean over seeds", r.series(accuracyOf)},
	})
}

// series are the means over seeds of a value by epoch, one line a row.
func (r *Result) series(value func(epoch) (float64, bool)) []report.Series {
	var all []report.Series
	for _, row := range r.rows() {
		s := report.Series{Name: row.Label}
		for _, number := range row.epochs() {
			if mean := row.at(number, value); mean.N > 0 {
				s.X, s.Y = append(s.X, number), append(s.Y, mean.Mean)
			}
		}
		if len(s.X) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// firingTable is figure 5 in numbers.
func firingTable(r *Result) []Table {
	var tables []Table
	for _, row := range r.rows() {
		t := Table{
			Title:   r.heading("Figure 5: firing rates of " + row.Label),
			Columns: []Column{{"layer", true}, {"share of neurons that fire in a time step [%]", false}},
		}
		for _, b := range row.firing() {
			s := Summary{len(row.ended()), b.Mean, b.Deviation}
			t.Rows = append(t.Rows, []string{b.Name, s.String()})
		}
		tables = append(tables, t)
	}
	return filled(append(tables, energyTable(r))...)
}

// firing are the firing rates of the row's layers in percent, in the order of the
// network.
func (r *RowResult) firing() []report.Bar {
	var bars []report.Bar
	ended := r.ended()
	if len(ended) == 0 || ended[0].Activity == nil {
		return nil
	}
	for _, layer := range ended[0].Activity.Neurons {
		s := r.summary(func(o Outcome) (float64, bool) {
			if o.Activity == nil {
				return 0, false
			}
			for _, n := range o.Activity.Neurons {
				if n.Name == layer.Name {
					return 100 * n.Rate, true
				}
			}
			return 0, false
		})
		bars = append(bars, report.Bar{Name: layer.Name, Mean: s.Mean, Deviation: s.Deviation})
	}
	return bars
}
