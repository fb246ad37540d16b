package genotype

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// Sizes of the page around the diagrams, in pixels.
const (
	pageMargin   = 28
	titleSize    = 18
	noteSize     = 12
	headerHeight = 62 // title and summary
	panelHeader  = 30 // heading of a cell
	panelGap     = 64 // between two cells
	legendHeight = 58
	legendEntry  = 172
)

// SVG writes a drawing of the genotype: each subnet's path through the levels, where
// it follows one, over its cell, the cells of a chain side by side, the operations
// as labels at the nodes they lead to, and a legend. The image is self-contained
// and uses no identifiers, so that several can stand in one HTML page.
func SVG(w io.Writer, g Genotype) error {
	if err := g.Validate(); err != nil {
		return err
	}
	var b bytes.Buffer
	newPage(g).write(&b)
	_, err := w.Write(b.Bytes())
	return err
}

// page is the whole image.
type page struct {
	genotype      Genotype
	width, height int
	rows          []row
}

// row is a path over the cells that take it. Its title is empty where there is one row.
type row struct {
	title  string
	at     point
	path   *trellis // nil without
	pathAt point
	panels []panel
}

// panel is a cell placed on the page.
type panel struct {
	diagram
	title string
	at    point
}

// title is the heading of a subnet's cell.
func (g Genotype) title(n Subnet) string {
	switch {
	case n.Name == Reduction:
		return "reduction cell (edges from s0 and s1 have stride 2)"
	case n.Name == Normal && len(g.Subnets) == 1:
		return "cell"
	}
	return n.Heading()
}

// newPage puts the cells of a chain into one row, every other subnet into its own.
func newPage(g Genotype) page {
	p := page{genotype: g, height: pageMargin + headerHeight}
	inside := legendEntry * (len(g.Ops) + 1)
	for _, n := range g.Subnets {
		if len(p.rows) == 0 || !g.Has(Normal) {
			r := row{}
			if len(n.Path) > 0 {
				r.path = &trellis{n.Path}
			}
			if !g.Has(Normal) {
				r.title = g.title(n)
			}
			p.rows = append(p.rows, r)
		}
		r := &p.rows[len(p.rows)-1]
		r.panels = append(r.panels, panel{diagram: layout(n.Cell), title: g.title(n)})
		inside = max(inside, r.width())
	}
	for i := range p.rows {
		if i > 0 {
			p.height += panelHeader
		}
		p.height = p.rows[i].place(p.height, inside)
	}
	p.width = inside + 2*pageMargin
	p.height += legendHeight + pageMargin
	return p
}

func (r row) width() int {
	x := (len(r.panels) - 1) * panelGap
	for _, p := range r.panels {
		x += p.width
	}
	if r.path != nil {
		x = max(x, r.path.width())
	}
	return x
}

// place puts a row at height y in the middle of the room inside the margins, its
// cells with their nodes at one height, and returns where the next one begins.
func (r *row) place(y, inside int) int {
	if r.title != "" {
		r.at = point{pageMargin, y}
		y += panelHeader
	}
	if r.path != nil {
		r.pathAt = point{pageMargin + (inside-r.path.width())/2, y}
		y += r.path.height() + panelHeader
	}
	if len(r.panels) > 1 {
		y += panelHeader
	}
	above, below, x := 0, 0, (len(r.panels)-1)*panelGap
	for _, p := range r.panels {
		above, below, x = max(above, p.row), max(below, p.height-p.row), x+p.width
	}
	x = pageMargin + (inside-x)/2
	for i := range r.panels {
		p := &r.panels[i]
		p.at = point{x, y + above - p.row}
		x += p.width + panelGap
	}
	return y + above + below
}

func (p page) write(b *bytes.Buffer) {
	g := p.genotype
	svgOpen(b, p.width, p.height, g.Name, g.summary(), strings.TrimSpace(Text(g)+g.Origin))
	for _, r := range p.rows {
		if r.title != "" {
			fmt.Fprintf(b, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n", r.at.x, r.at.y+noteSize, escape(r.title))
		}
		if r.path != nil {
			r.path.write(b, r.pathAt)
		}
		for _, panel := range r.panels {
			if len(r.panels) > 1 {
				fmt.Fprintf(b, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n",
					panel.at.x, pageMargin+headerHeight+noteSize, escape(fit(panel.title, noteSize, panel.width)))
			}
			panel.write(b)
		}
	}
	writeLegend(b, point{pageMargin, p.height - pageMargin - pillHeight}, p.genotype.operations())
	b.WriteString("</svg>\n")
}

func (p panel) write(b *bytes.Buffer) {
	fmt.Fprintf(b, `<g transform="translate(%d %d)">`+"\n", p.at.x, p.at.y)
	for _, w := range p.wires {
		w.write(b)
	}
	for _, box := range p.boxes {
		box.write(b)
	}
	for _, pill := range p.pills {
		pill.write(b)
	}
	b.WriteString("</g>\n")
}

func writeLegend(b *bytes.Buffer, at point, ops []Op) {
	for _, op := range ops {
		pill{rect{at.x, at.y, pillWidth, pillHeight}, op}.write(b)
		writeNote(b, at, opTable[op].Note)
		at.x += legendEntry
	}
	w := wire{start: point{at.x, at.y + pillHeight/2}, concat: true}
	w.line(at.x+pillWidth, at.y+pillHeight/2)
	w.write(b)
	writeNote(b, at, "concatenation")
}

func writeNote(b *bytes.Buffer, at point, note string) {
	fmt.Fprintf(b, `<text x="%d" y="%d">%s</text>`+"\n", at.x+pillWidth+8, at.y+pillHeight/2+noteSize/3, escape(note))
}

// fit shortens a text that would be wider than the room at the given font size.
func fit(text string, size, room int) string {
	most := room * 3 / (size * 2) // characters take at most about two thirds of the size
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}

func escape(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		panic(err) // a strings.Builder takes every write
	}
	return b.String()
}
