package genotype

import (
	"bytes"
	"fmt"
)

// Sizes of a drawing of the trellis, in pixels.
const (
	trellisColumn = 72 // from layer to layer
	trellisRow    = 44 // from level to level
	trellisDot    = 9  // radius of a place
	trellisLabels = 76 // to the left: the levels
	trellisHead   = 24 // above: the layers
	pathColor     = "#0067a8"
	faintColor    = "#c3cad3"
)

// trellis is a path through the resolution levels, laid out: columns are layers,
// rows are levels, thin lines the moves that there were and thick ones the path.
type trellis struct {
	path []int
}

func (t trellis) width() int  { return trellisLabels + len(t.path)*trellisColumn + trellisDot*2 }
func (t trellis) height() int { return trellisHead + MaxLevel*trellisRow + trellisDot*2 }

// place of level s after layer l; the stem is at layer -1.
func (t trellis) place(layer, level int) point {
	return point{trellisLabels + (layer+1)*trellisColumn, trellisHead + trellisDot + level*trellisRow}
}

// reachable levels after a layer: one more with every layer.
func reachable(layer int) int { return min(MaxLevel, layer+1) }

func (t trellis) write(b *bytes.Buffer, at point) {
	fmt.Fprintf(b, `<g transform="translate(%d %d)">`+"\n", at.x, at.y)
	for level := range MaxLevel + 1 {
		p := t.place(-1, level)
		fmt.Fprintf(b, `<text x="0" y="%d" fill="%s">level %d</text>`+"\n", p.y+noteSize/3, mutedColor, level)
	}
	for layer := range t.path {
		p := t.place(layer, 0)
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle" fill="%s">cell %d</text>`+"\n", p.x, noteSize, mutedColor, layer)
	}
	stem := t.place(-1, 0)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle" fill="%s">stem</text>`+"\n", stem.x, noteSize, mutedColor)
	for layer := range t.path {
		for from := range reachable(layer-1) + 1 {
			for to := max(0, from-1); to <= min(reachable(layer), from+1); to++ {
				t.line(b, layer, from, to, faintColor, 1)
			}
		}
	}
	previous := 0
	for layer, level := range t.path {
		t.line(b, layer, previous, level, pathColor, 4)
		previous = level
	}
	t.dot(b, stem, true)
	for layer, chosen := range t.path {
		for level := range reachable(layer) + 1 {
			t.dot(b, t.place(layer, level), level == chosen)
		}
	}
	b.WriteString("</g>\n")
}

func (t trellis) line(b *bytes.Buffer, layer, from, to int, color string, width int) {
	p, q := t.place(layer-1, from), t.place(layer, to)
	fmt.Fprintf(b, `<path d="M%d %d L%d %d" stroke="%s" stroke-width="%d"/>`+"\n", p.x, p.y, q.x, q.y, color, width)
}

func (t trellis) dot(b *bytes.Buffer, p point, chosen bool) {
	fill, stroke := boxColor, faintColor
	if chosen {
		fill, stroke = pathColor, pathColor
	}
	fmt.Fprintf(b, `<circle cx="%d" cy="%d" r="%d" fill="%s" stroke="%s" stroke-width="1.5"/>`+"\n", p.x, p.y, trellisDot, fill, stroke)
}

// svgOpen begins an image with its title and summary.
func svgOpen(b *bytes.Buffer, width, height int, name, summary, description string) {
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="%d" height="%d" viewBox="0 0 %d %d"`+
		` font-family="DejaVu Sans, Verdana, Helvetica, sans-serif" font-size="%d" fill="%s">`+"\n",
		width, height, width, height, noteSize, inkColor)
	fmt.Fprintf(b, "<title>%s</title>\n", escape(name))
	fmt.Fprintf(b, "<desc>%s</desc>\n", escape(description))
	fmt.Fprintf(b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", width, height)
	room := width - 2*pageMargin
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="%d" font-weight="bold">%s</text>`+"\n",
		pageMargin, pageMargin+titleSize, titleSize, escape(fit(name, titleSize, room)))
	fmt.Fprintf(b, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n",
		pageMargin, pageMargin+titleSize+22, mutedColor, escape(fit(summary, noteSize, room)))
}
