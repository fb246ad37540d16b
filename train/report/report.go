package report

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"slices"
	"unicode"

	"github.com/spikedhs/spikedhs/train/run"
)

//go:embed page.html page.css
var assets embed.FS

var pageTemplate = template.Must(template.ParseFS(assets, "page.html"))

// Write writes the report of one or more run folders as HTML. With several it
// begins with a table that compares them.
//
// The error is one line; it wraps [run.ErrNotRun] for a place that holds no run.
// Nothing is written in that case.
func Write(w io.Writer, folders ...string) error {
	if len(folders) == 0 {
		return errors.New("report: no run folder given")
	}
	var all []*source
	for _, dir := range folders {
		s, err := load(dir)
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		all = append(all, s)
	}
	var text bytes.Buffer
	if err := pageTemplate.Execute(&text, newPage(all)); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if _, err := w.Write(bytes.Map(printable, text.Bytes())); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// printable replaces what must not be in a page: control characters, which names may
// contain.
func printable(r rune) rune {
	if unicode.IsControl(r) && r != '\n' && r != '\t' || r == '\ufffe' || r == '\uffff' {
		return unicode.ReplacementChar
	}
	return r
}

// WriteFile writes the report to a file as [Write] does. The file is replaced in one
// step, so path is afterwards the whole old or the whole new report.
func WriteFile(path string, folders ...string) error {
	return run.WriteFileAtomic(path, func(w io.Writer) error { return Write(w, folders...) })
}

// page is what the template shows.
type page struct {
	Title   string
	Style   template.CSS
	Summary *summary // nil for a single run
	Runs    []*section
}

// summary compares several runs.
type summary struct {
	Rows   []row
	Charts []figure
}

// row is a run in the table of the summary.
type row struct {
	Link, Name, Data     string
	Accuracy, Best       string
	Parameters, Epochs   string
	Time, Memory, Wiring string
	Unfinished           bool
	Inner                bool // the search inside the run of the row before
	Top                  bool // the highest accuracy of the table
}

// figure is a chart under its title.
type figure struct {
	Title string
	Image template.HTML
}

func newPage(all []*source) page {
	css, err := assets.ReadFile("page.css")
	if err != nil {
		panic(err) // it is embedded
	}
	p := page{Style: template.CSS(css)}
	for i, s := range all {
		p.Runs = append(p.Runs, newSection(s, fmt.Sprintf("run-%d", i+1)))
	}
	if len(all) == 1 {
		p.Title = p.Runs[0].Name
		return p
	}
	p.Title = plural(len(all), "run")
	p.Summary = newSummary(all, p.Runs)
	return p
}

func newSummary(all []*source, sections []*section) *summary {
	s := new(summary)
	best, top := 0.0, -1
	for i, one := range all {
		if accuracy, ok := one.accuracy(); ok && (top < 0 || accuracy > best) {
			best, top = accuracy, len(s.Rows)
		}
		s.Rows = append(s.Rows, newRow(one, sections[i]))
		if one.search != nil {
			inner := newRow(one.search, sections[i])
			inner.Name, inner.Inner = "search of "+one.name(), true
			s.Rows = append(s.Rows, inner)
		}
	}
	if top >= 0 {
		s.Rows[top].Top = true
	}
	s.Charts = comparison(all)
	return s
}

// newRow is the row of a run that a section shows.
func newRow(s *source, shown *section) row {
	r := row{
		Link: shown.ID, Name: s.name(), Data: s.folder.Config().Data.Name, Unfinished: !s.progress().ended, Epochs: s.progress().String(),
		Accuracy: absent, Best: absent, Parameters: absent, Time: absent, Memory: absent, Wiring: absent,
	}
	if accuracy, ok := s.accuracy(); ok {
		r.Accuracy = percent(accuracy)
	}
	if best, ok := highest(curve(s.of(trainEpoch), epochKey, s.report.Watched.Key)); ok {
		r.Best = percent(best.y)
	}
	if s.evaluation != nil && s.evaluation.Parameters > 0 {
		r.Parameters = short(s.evaluation.Parameters)
	}
	if t := s.seconds(); t > 0 {
		r.Time = duration(t)
	}
	if m := s.memory(); m > 0 {
		r.Memory = bytesIn(m * (1 << 20))
	}
	if hash := s.wiring(); hash != "" {
		r.Wiring = hash
	}
	return r
}

// comparison draws the same curve of all runs that have it.
func comparison(all []*source) []figure {
	var charts []chart
	drawn := map[string]bool{}
	for _, first := range all {
		for _, of := range first.report.Compared {
			if drawn[of.Title] {
				continue // by a run of the same task
			}
			drawn[of.Title] = true
			c := chartOf(of)
			for _, s := range all {
				line := s.series(trainEpoch, epochKey, of.Lines[0])
				line.name = s.name()
				c.series = append(c.series, line)
			}
			charts = append(charts, c)
		}
	}
	return figures(charts...)
}

// figures draws the charts that have something to show.
func figures(charts ...chart) []figure {
	var all []figure
	for _, c := range charts {
		all = append(all, figure{c.title, c.draw()})
	}
	return slices.DeleteFunc(all, func(f figure) bool { return f.Image == "" })
}
