package reproduce

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spikedhs/spikedhs/train/report"
)

// Table is a table of texts for people.
type Table struct {
	Title   string
	Columns []Column
	Rows    [][]string
	// Notes stand below the table, each a sentence or more.
	Notes []string
}

// Column is a column of a table.
type Column struct {
	Name string
	// Text says that the column holds words, which stand on the left.
	Text bool
}

// Markdown writes the table for a document.
func (t Table) Markdown(w io.Writer) error {
	var b strings.Builder
	if t.Title != "" {
		fmt.Fprintf(&b, "**%s**\n\n", t.Title)
	}
	line := func(cells []string) {
		for i, cell := range cells {
			cells[i] = strings.ReplaceAll(cell, "|", `\|`)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	var heads, rules []string
	for _, c := range t.Columns {
		heads = append(heads, c.Name)
		if c.Text {
			rules = append(rules, "---")
		} else {
			rules = append(rules, "---:")
		}
	}
	line(heads)
	fmt.Fprintf(&b, "|%s|\n", strings.Join(rules, "|"))
	for _, row := range t.Rows {
		line(append([]string(nil), row...))
	}
	for _, note := range t.Notes {
		fmt.Fprintf(&b, "\n%s\n", note)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Text writes the table for a terminal.
func (t Table) Text(w io.Writer) error {
	var b strings.Builder
	if t.Title != "" {
		fmt.Fprintf(&b, "%s\n\n", t.Title)
	}
	widths := make([]int, len(t.Columns))
	heads := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		heads[i] = c.Name
	}
	for _, row := range append([][]string{heads}, t.Rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range append([][]string{heads}, t.Rows...) {
		line := ""
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if t.Columns[i].Text {
				line += cell + space + "  "
			} else {
				line += space + cell + "  "
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	for _, note := range t.Notes {
		fmt.Fprintf(&b, "\n%s\n", note)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// CSV writes one line for every run that has begun.
func (r *Result) CSV(w io.Writer) error {
	c := csv.NewWriter(w)
	lines := [][]string{{
		"experiment", "row", "scale", "data", "seed", "ended", "top1_percent", "top5_percent", "loss_nats", "parameters",
		"steps", "dgs_passes", "dgs_layer_passes", "seconds", "firing_rate", "additions", "macs", "energy_mj", "genotype", "dir",
	}}
	metrics := r.metrics()
	lines[0] = append(lines[0], metrics...)
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	for _, row := range r.Rows {
		for _, o := range row.Runs {
			activity := []string{"", "", "", ""}
			if a := o.Activity; a != nil {
				activity = []string{number(a.FiringRate), number(a.Additions), number(a.MACs), number(a.Energy)}
			}
			line := []string{
				r.Experiment, row.Name, r.Scale, r.Data, strconv.FormatInt(o.Seed, 10), strconv.FormatBool(o.Ended),
				number(o.Top1), number(o.Top5), number(o.Loss), strconv.FormatInt(o.Parameters, 10),
				strconv.FormatInt(o.Steps, 10), strconv.FormatInt(o.SearchPasses, 10), strconv.FormatInt(o.LayerPasses, 10), number(o.Seconds),
			}
			line = append(append(line, activity...), o.hash, o.Dir)
			for _, name := range metrics {
				text := ""
				if x, ok := o.Metrics[name]; ok {
					text = fmt.Sprint(x)
				}
				line = append(line, text)
			}
			lines = append(lines, line)
		}
	}
	if err := c.WriteAll(lines); err != nil {
		return fmt.Errorf("reproduce: %w", err)
	}
	return nil
}

// metrics are the names of the numbers that only the evaluations of some tasks have.
func (r *Result) metrics() []string {
	all := map[string]any{}
	for _, row := range r.Rows {
		for _, o := range row.Runs {
			maps.Copy(all, o.Metrics)
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Summary is the mean and the standard deviation of a number over seeds.
type Summary struct {
	// N is the number of values; with none the rest is 0.
	N int `json:"n"`
	// Mean is their mean.
	Mean float64 `json:"mean"`
	// Deviation is the standard deviation of the sample, with N-1 below the root; 0
	// for a single value.
	Deviation float64 `json:"deviation"`
}

// Summarize summarizes values.
func Summarize(values []float64) Summary {
	s := Summary{N: len(values)}
	if s.N == 0 {
		return s
	}
	for _, x := range values {
		s.Mean += x / float64(s.N)
	}
	if s.N > 1 {
		squares := 0.0
		for _, x := range values {
			squares += (x - s.Mean) * (x - s.Mean)
		}
		s.Deviation = math.Sqrt(squares / float64(s.N-1))
	}
	return s
}

// absent stands for a value that is not known.
const absent = "–"

// String is the mean, with its deviation where there is one.
func (s Summary) String() string { return s.text("%.2f", "%.2f") }

// text is the mean, and the deviation where there is one, in the formats given.
func (s Summary) text(mean, deviation string) string {
	switch s.N {
	case 0:
		return absent
	case 1:
		return fmt.Sprintf(mean, s.Mean)
	}
	return fmt.Sprintf(mean+" ± "+deviation, s.Mean, s.Deviation)
}

// String is a number of the paper as the paper writes it.
func (n Number) String() string {
	if n.Deviation == 0 {
		return fmt.Sprintf("%.2f", n.Mean)
	}
	return fmt.Sprintf("%.2f ± %.2f", n.Mean, n.Deviation)
}

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
