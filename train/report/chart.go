package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// Sizes of a chart.
const (
	chartWidth   = 540.0
	chartHeight  = 290.0
	chartRight   = 16.0 // margin
	chartBottom  = 44.0 // margin with ticks and the name of the axis
	legendTop    = 14.0
	legendLine   = 20.0
	legendSwatch = 22.0
	legendName   = 30   // characters of a name
	fewPoints    = 25   // up to here every point is marked
	mostPoints   = 1000 // longer series are averaged
	mostHints    = 200  // up to here every point tells its value
	styles       = 6    // colours of series
)

// series is a line in a chart.
type series struct {
	name   string
	points []point
	dashed bool
}

// chart is a drawing of series over epochs or steps.
type chart struct {
	title  string // what is drawn, in which unit
	across string // what the horizontal axis counts
	series []series
	within limits               // of the vertical axis
	zero   bool                 // the vertical axis begins at 0
	format func(float64) string // of values in the legend and in hints
}

// plot is a chart with its scales.
type plot struct {
	*drawing
	chart
	x, y                     axis
	left, right, top, bottom float64 // of the area of the lines
}

// draw returns the chart, empty if there is nothing to draw.
func (c chart) draw() template.HTML {
	c.series = drawable(c.series)
	if len(c.series) == 0 {
		return ""
	}
	p := plot{chart: c}
	p.scale()
	p.drawing = newDrawing(chartWidth, chartHeight, "chart", c.title+" by "+c.across)
	p.legend()
	p.axes()
	for i := range c.series {
		p.lines(i)
	}
	return p.end()
}

// drawable leaves out the series without a number, and thins the long ones.
func drawable(all []series) []series {
	var kept []series
	for _, s := range all {
		if _, ok := last(s.points); ok {
			s.points = thin(s.points, mostPoints)
			kept = append(kept, s)
		}
	}
	return kept
}

// scale finds the axes and the place they take.
func (p *plot) scale() {
	lowX, highX, lowY, highY := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, s := range p.series {
		for _, at := range s.points {
			lowX, highX = min(lowX, at.x), max(highX, at.x)
			if finite(at.y) {
				lowY, highY = min(lowY, at.y), max(highY, at.y)
			}
		}
	}
	if p.zero {
		lowY, highY = min(lowY, 0), max(highY, 0)
	}
	p.x, p.y = countAxis(lowX, highX), valueAxis(lowY, highY, p.within)
	for _, tick := range p.y.ticks() {
		p.left = max(p.left, widthOf(p.y.label(tick)))
	}
	p.left += 14
	p.right = chartWidth - chartRight
	p.top = legendTop + legendLine*float64(len(p.legendRows())) - 4
	p.bottom = chartHeight - chartBottom
}

// place is where a point is drawn.
func (p *plot) place(at point) (x, y float64) {
	share := min(max(p.y.at(at.y), 0), 1)
	return p.left + p.x.at(at.x)*(p.right-p.left), p.bottom - share*(p.bottom-p.top)
}

// axes draws grid, ticks and the name of the horizontal axis.
func (p *plot) axes() {
	for _, tick := range p.y.ticks() {
		_, y := p.place(point{p.x.low, tick})
		p.line(p.left, y, p.right, y, "grid")
		p.text(p.left-7, y+4, "tick", "end", p.y.label(tick))
	}
	p.line(p.left, p.bottom, p.right, p.bottom, "axis")
	for _, tick := range p.x.ticks() {
		x, _ := p.place(point{tick, p.y.low})
		p.line(x, p.bottom, x, p.bottom+5, "axis")
		p.text(x, p.bottom+18, "tick", "middle", p.x.label(tick))
	}
	p.text((p.left+p.right)/2, chartHeight-8, "name", "middle", p.across)
}

// legendText is the name of a series and its last value.
func (p *plot) legendText(s series) (name, value string) {
	at, _ := last(s.points)
	return fit(s.name, legendName), p.format(at.y)
}

// legendRows spreads the series over rows that are as wide as the chart.
func (p *plot) legendRows() [][]int {
	var rows [][]int
	left := 0.0
	for i := range p.series {
		width := p.legendEntry(i)
		if len(rows) == 0 || width > left {
			rows, left = append(rows, nil), chartWidth-20
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], i)
		left -= width
	}
	return rows
}

func (p *plot) legendEntry(i int) float64 {
	name, value := p.legendText(p.series[i])
	return legendSwatch + widthOf(name+" "+value) + 26
}

func (p *plot) legend() {
	for row, entries := range p.legendRows() {
		x, y := 10.0, legendTop+legendLine*float64(row)
		for _, i := range entries {
			name, value := p.legendText(p.series[i])
			p.add(`<g class="%s">`, styleOf(i))
			p.add(`<path class="%s" d="M%s %sh%s"/>`, p.series[i].class(), number(x), number(y-4), number(legendSwatch))
			p.mark(i, x+legendSwatch/2, y-4)
			p.add("</g>\n")
			p.add(`<text x="%s" y="%s">%s <tspan class="value">%s</tspan></text>`+"\n",
				number(x+legendSwatch+7), number(y), escape(name), escape(value))
			x += p.legendEntry(i)
		}
	}
}

// lines draws a series, interrupted where a value is not a number.
func (p *plot) lines(i int) {
	s := p.series[i]
	p.add(`<g class="%s">`+"\n", styleOf(i))
	var path strings.Builder
	next := "M"
	for _, at := range s.points {
		if !finite(at.y) {
			next = "M"
			continue
		}
		x, y := p.place(at)
		fmt.Fprintf(&path, "%s%s %s", next, number(x), number(y))
		next = "L"
	}
	p.add(`<path class="%s" d="%s"/>`+"\n", s.class(), path.String())
	for _, at := range s.points {
		if finite(at.y) && len(s.points) <= mostHints {
			p.hint(i, at)
		}
	}
	p.add("</g>\n")
}

// hint draws the mark of a point, or an invisible one if there are many, that tells
// its value under the pointer.
func (p *plot) hint(i int, at point) {
	s := p.series[i]
	x, y := p.place(at)
	p.add(`<g><title>%s</title>`, escape(fmt.Sprintf("%s, %s %s: %s", s.name, p.across, p.x.label(at.x), p.format(at.y))))
	if len(s.points) <= fewPoints {
		p.mark(i, x, y)
	} else {
		p.add(`<circle class="hit" cx="%s" cy="%s" r="4"/>`, number(x), number(y))
	}
	p.add("</g>\n")
}

// mark draws the mark of a series; neighbours differ in shape as well as in colour.
func (p *plot) mark(i int, x, y float64) {
	shapes := [...]string{
		"m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z", // circle
		"m-3.2 -3.2h6.4v6.4h-6.4z",                      // square
		"m0 -4.4l4.2 7.4h-8.4z",                         // triangle
		"m0 -4.6l4.6 4.6l-4.6 4.6l-4.6 -4.6z",           // diamond
	}
	p.add(`<path class="mark" d="M%s %s%s"/>`, number(x), number(y), shapes[i%len(shapes)])
}

// class is the class of the line of a series.
func (s series) class() string {
	if s.dashed {
		return "line dashed"
	}
	return "line"
}

// styleOf is the class of the colour of the i-th series.
func styleOf(i int) string { return fmt.Sprintf("s%d", i%styles) }
