package reproduce

import (
	"bytes"

	"github.com/spikedhs/spikedhs/train/report"
)

// Figure is a drawing.
type Figure struct {
	// Name is that of its file, without ".svg".
	Name string
	// Title says what is drawn.
	Title string
	// SVG is the drawing, with its own colours.
	SVG []byte
}

// lines is a drawing of lines over epochs.
type lines struct {
	name, title string
	series      []report.Series
}

// lineFigures draws what has lines.
func lineFigures(all []lines) ([]Figure, error) {
	var figures []Figure
	for _, l := range all {
		if len(l.series) == 0 {
			continue
		}
		var b bytes.Buffer
		if err := report.LineChart(&b, l.title, "epoch", l.series); err != nil {
			return nil, err
		}
		figures = append(figures, Figure{l.name, l.title, b.Bytes()})
	}
	return figures, nil
}

// barFigure draws bars; none where there is nothing to draw.
func barFigure(name, title string, bars []report.Bar) ([]Figure, error) {
	if len(bars) == 0 {
		return nil, nil
	}
	var b bytes.Buffer
	if err := report.BarChart(&b, title, bars); err != nil {
		return nil, err
	}
	return []Figure{{name, title, b.Bytes()}}, nil
}

// imageAccuracy is what the rows of classification are compared by.
const imageAccuracy = "Accuracy on the test images in percent"

// bars draws what all rows are compared by.
func bars(title string) func(*Result) ([]Figure, error) {
	return func(r *Result) ([]Figure, error) {
		var bars []report.Bar
		for _, row := range r.Rows {
			if row.Top1.N > 0 {
				bars = append(bars, report.Bar{Name: row.Label, Mean: row.Top1.Mean, Deviation: row.Top1.Deviation})
			}
		}
		return barFigure(r.Experiment, r.heading(title), bars)
	}
}

// firingFigures draws the firing rates of all layers of each row.
func firingFigures(r *Result) ([]Figure, error) {
	var all []Figure
	for _, row := range r.rows() {
		one, err := barFigure(r.Experiment+"-"+row.Name, "Firing rate of "+row.Label+", percent of a layer's neurons in a time step", row.firing())
		if err != nil {
			return nil, err
		}
		all = append(all, one...)
	}
	return all, nil
}
