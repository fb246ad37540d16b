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
	pageMargin    = 28
	titleSize     = 18
	noteSize      = 12
	headerHeight  = 62 // title and summary
	panelHeader   = 30 // heading of a cell
	panelGap      = 64 // between two cells
	legendHeight  = 58
	legendEntry   = 172
	minimumInside = legendEntry * (NumOps + 1)
)

// SVG writes a drawing of the genotype: its cells side by side, the operations
// as labels at the nodes they lead to, and a legend; over them the path through
// the levels, where the network follows one. The image is self-contained
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
	panels        []panel
	path          *trellis // nil without
	pathAt        point
}

// panel is a cell placed on the page.
type panel struct {
	diagram
	title string
	at    point
}

// newPage places the cells with their rows of nodes at one height.
func newPage(g Genotype) page {
	p := page{genotype: g}
	x, above, below := 0, 0, 0
	for i, c := range g.cells() {
		if i > 0 {
			x += panelGap
		}
		d := layout(c.cell)
		p.panels = append(p.panels, panel{d, c.title, point{x: x}})
		x += d.width
		above, below = max(above, d.row), max(below, d.height-d.row)
	}
	inside := max(x, minimumInside)
	top := headerHeight
	if g.FollowsPath() {
		p.path = &trellis{g.Path}
		inside = max(inside, p.path.width())
		p.pathAt = point{pageMargin + (inside-p.path.width())/2, pageMargin + top}
		top += p.path.height() + panelHeader
	}
	if len(p.panels) > 1 {
		top += panelHeader
	}
	for i := range p.panels {
		p.panels[i].at.x += pageMargin + (inside-x)/2
		p.panels[i].at.y = pageMargin + top + above - p.panels[i].row
	}
	p.width = inside + 2*pageMargin
	p.height = top + above + below + legendHeight + 2*pageMargin
	return p
}

func (p page) write(b *bytes.Buffer) {
	g := p.genotype
	svgOpen(b, p.width, p.height, g.Name, g.summary(), strings.TrimSpace(Text(g)+g.Origin))
	if p.path != nil {
		p.path.write(b, p.pathAt)
	}
	for _, panel := range p.panels {
		if len(p.panels) > 1 {
			fmt.Fprintf(b, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n",
				panel.at.x, pageMargin+headerHeight+noteSize, escape(fit(panel.title, noteSize, panel.width)))
		}
		panel.write(b)
	}
	writeLegend(b, point{pageMargin, p.height - pageMargin - pillHeight})
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

func writeLegend(b *bytes.Buffer, at point) {
	notes := [NumOps]string{Skip: "skip_connect", B3: "conv 3×3, b = 3", B5: "conv 3×3, b = 5"}
	for op := range Op(NumOps) {
		pill{rect{at.x, at.y, pillWidth, pillHeight}, op}.write(b)
		writeNote(b, at, notes[op])
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
