package report

import (
	"encoding/xml"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"unicode/utf8"
)

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
