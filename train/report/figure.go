package report

import (
	"encoding/xml"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Series is a line of a chart for documents: places of its points from left to right.
type Series struct {
	Name string
	X, Y []float64
}

// Bar is a number with its standard deviation, 0 for none.
type Bar struct {
	Name            string
	Mean, Deviation float64
}

// figureStyle gives a drawing that stands alone the light colours of the page.
const figureStyle = `<style>
svg { font: 12px "DejaVu Sans", Verdana, Helvetica, sans-serif; }
text { fill: #1c2430; }
.grid { stroke: #d9dee5; } .axis { stroke: #5b6675; }
.tick, .name, .value { fill: #5b6675; }
.title { font-weight: bold; }
.line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.dashed { stroke-dasharray: 6 4; }
.mark, .bar { fill: currentColor; } .hit { fill: none; }
.whisker { stroke: #1c2430; stroke-width: 1.3; }
.s0 { color: #0072b2; } .s1 { color: #d55e00; } .s2 { color: #009e73; }
.s3 { color: #b0568c; } .s4 { color: #a87700; } .s5 { color: #3d4650; }
</style>
`

const figureTop = 30.0 // room for the title above a chart

// LineChart writes series over what across names, such as epochs, as an SVG drawing
// that stands alone.
func LineChart(w io.Writer, title, across string, all []Series) error {
	c := chart{title: title, across: across, within: limits{math.Inf(-1), math.Inf(1)}, format: significant}
	for i, s := range all {
		if len(s.X) != len(s.Y) {
			return fmt.Errorf("report: the series %q has %d places and %d values", s.Name, len(s.X), len(s.Y))
		}
		line := series{name: s.Name, dashed: i >= styles}
		for k := range s.X {
			line.points = append(line.points, point{s.X[k], s.Y[k]})
		}
		c.series = append(c.series, line)
	}
	inner := c.draw()
	if inner == "" {
		return fmt.Errorf("report: the chart %q has no values", title)
	}
	d := newFigure(chartWidth, chartHeight+figureTop, title)
	d.add(`<g transform="translate(0 %s)">`+"\n%s\n</g>\n", number(figureTop), string(inner))
	return emit(w, d.end())
}

// newFigure begins a drawing that stands alone, with its title on white.
func newFigure(width, height float64, title string) *drawing {
	d := newDrawing(width, height, "figure", title)
	d.add(figureStyle)
	d.add(`<rect width="%s" height="%s" fill="#ffffff"/>`+"\n", number(width), number(height))
	d.text(10, 20, "title", "start", title)
	return d
}

func emit(w io.Writer, svg template.HTML) error {
	_, err := io.WriteString(w, strings.Map(printable, string(svg))+"\n")
	return err
}

// Sizes of a chart of bars.
const (
	barChart  = 560.0 // width of the part with the bars
	barPitch  = 24.0  // from bar to bar
	barHeight = 15.0
)

// BarChart writes bars, one below the other, with lines of one standard deviation to
// both sides, as an SVG drawing that stands alone. Numbers that lie close together,
// far from 0, are drawn as points on a cut axis instead: a bar that does not begin
// at 0 would mislead.
func BarChart(w io.Writer, title string, bars []Bar) error {
	left, lowest, highest := 0.0, math.Inf(1), math.Inf(-1)
	for _, b := range bars {
		if !finite(b.Mean) || !finite(b.Deviation) {
			return fmt.Errorf("report: the bar %q is not a number", b.Name)
		}
		left = max(left, widthOf(b.Name))
		lowest, highest = min(lowest, b.Mean-b.Deviation), max(highest, b.Mean+b.Deviation)
	}
	if len(bars) == 0 {
		return fmt.Errorf("report: the chart %q has no values", title)
	}
	cut := lowest > highest/2 && lowest > 0
	if !cut {
		lowest, highest = min(lowest, 0), max(highest, 0)
	}
	a := valueAxis(lowest, highest, limits{math.Inf(-1), math.Inf(1)})
	left += 24
	const room = 110.0 // for the numbers
	right := left + barChart - room
	bottom := figureTop + barPitch*float64(len(bars)) + 8
	d := newFigure(left+barChart, bottom+28, title)
	at := func(x float64) float64 { return left + a.at(x)*(right-left) }
	for _, tick := range a.ticks() {
		d.line(at(tick), figureTop, at(tick), bottom, "grid")
		d.text(at(tick), bottom+17, "tick", "middle", a.label(tick))
	}
	d.line(left, figureTop, left, bottom, "axis")
	for i, b := range bars {
		middle := figureTop + barPitch*(float64(i)+0.5) + 4
		d.text(left-8, middle+4, "name", "end", b.Name)
		d.add(`<g class="s0">`)
		if cut {
			d.add(`<circle class="mark" cx="%s" cy="%s" r="4.5"/>`, number(at(b.Mean)), number(middle))
		} else {
			from, to := at(min(b.Mean, 0)), at(max(b.Mean, 0))
			d.add(`<rect class="bar" x="%s" y="%s" width="%s" height="%s"/>`, number(from), number(middle-barHeight/2), number(to-from), number(barHeight))
		}
		d.add("</g>\n")
		text := fmt.Sprintf("%.2f", b.Mean)
		if b.Deviation > 0 {
			low, high := at(b.Mean-b.Deviation), at(b.Mean+b.Deviation)
			d.line(low, middle, high, middle, "whisker")
			d.line(low, middle-4, low, middle+4, "whisker")
			d.line(high, middle-4, high, middle+4, "whisker")
			text += fmt.Sprintf(" ± %.2f", b.Deviation)
		}
		d.text(right+10, middle+4, "value", "start", text)
	}
	return emit(w, d.end())
}

// fontSize is the size of text in drawings, and charWidth about what one of its
// characters takes.
const (
	fontSize  = 12.0
	charWidth = 6.7
)

// drawing is SVG text in the making. Colours come from the style sheet of the page,
// by class.
type drawing struct{ b strings.Builder }

// newDrawing begins a drawing; title says to those who cannot see it what it shows.
func newDrawing(width, height float64, class, title string) *drawing {
	d := new(drawing)
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" role="img" class="%s" viewBox="0 0 %s %s" width="%[2]s" height="%[3]s">`+"\n",
		class, number(width), number(height))
	d.add("<title>%s</title>\n", escape(title))
	return d
}

func (d *drawing) add(format string, values ...any) { fmt.Fprintf(&d.b, format, values...) }

// text adds text that is anchored at start, middle or end.
func (d *drawing) text(x, y float64, class, anchor, text string) {
	d.add(`<text x="%s" y="%s" class="%s" text-anchor="%s">%s</text>`+"\n", number(x), number(y), class, anchor, escape(text))
}

func (d *drawing) line(x1, y1, x2, y2 float64, class string) {
	d.add(`<line x1="%s" y1="%s" x2="%s" y2="%s" class="%s"/>`+"\n", number(x1), number(y1), number(x2), number(y2), class)
}

// end returns the drawing.
func (d *drawing) end() template.HTML {
	d.b.WriteString("</svg>")
	return template.HTML(d.b.String()) // every text in it went through escape
}

// number writes a coordinate with at most two decimals.
func number(x float64) string {
	text := strconv.FormatFloat(x, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

func escape(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		panic(err) // a strings.Builder takes every write
	}
	return b.String()
}

// widthOf is about what a text takes.
func widthOf(text string) float64 { return charWidth * float64(utf8.RuneCountInString(text)) }

// fit shortens a text to a number of characters.
func fit(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
