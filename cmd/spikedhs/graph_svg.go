package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
)

// Sizes of the drawing of a graph, in pixels.
const (
	boxWidth, boxHeight = 190, 38
	boxGap, rowGap      = 26, 34
	graphMargin         = 24
)

// graphColors are those of the nodes that make spikes and of those that multiply.
var graphColors = map[string]string{
	"conv": "#dbe9f6", "head": "#dbe9f6", "classify": "#dbe9f6", "auxiliary": "#dbe9f6",
	"node": "#fde0c5", "neurons": "#fde0c5", "fire": "#fde0c5", "volume": "#dff0d8",
}

// graphSVG draws a network from its inputs downwards: each node below all that it reads.
func graphSVG(w io.Writer, v networkGraph) error {
	rank, column := make([]int, len(v.Nodes)), make([]int, len(v.Nodes))
	count := []int{len(v.Inputs)} // boxes of each row
	for i, n := range v.Nodes {
		rank[i] = 1
		for _, k := range n.Inputs {
			if k >= 0 {
				rank[i] = max(rank[i], rank[k]+1)
			}
		}
		for len(count) <= rank[i] {
			count = append(count, 0)
		}
		column[i] = count[rank[i]]
		count[rank[i]]++
	}
	widest := 0
	for _, n := range count {
		widest = max(widest, n)
	}
	width := widest*(boxWidth+boxGap) - boxGap + 2*graphMargin
	height := len(count)*(boxHeight+rowGap) - rowGap + 2*graphMargin
	// place is the middle of the upper edge of a box; inputs have negative numbers.
	place := func(k int) (x, y int) {
		row, at := 0, -1-k
		if k >= 0 {
			row, at = rank[k], column[k]
		}
		x = width/2 + (2*at-count[row]+1)*(boxWidth+boxGap)/2
		return x, graphMargin + row*(boxHeight+rowGap)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11" text-anchor="middle">`+"\n", width, height)
	fmt.Fprintf(&b, "<title>%s, %s</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n", escaped(v.Genotype), escaped(v.After))
	for i, n := range v.Nodes {
		for _, k := range n.Inputs {
			fromX, fromY := place(k)
			toX, toY := place(i)
			fromY += boxHeight
			middle := (fromY + toY) / 2
			fmt.Fprintf(&b, `<path d="M%d %dC%d %d %d %d %d %d" fill="none" stroke="#999"/>`+"\n", fromX, fromY, fromX, middle, toX, middle, toX, toY)
		}
	}
	box := func(k int, color, name, below string) {
		x, y := place(k)
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" rx="5" fill="%s" stroke="#555"/>`+"\n", x-boxWidth/2, y, boxWidth, boxHeight, color)
		fmt.Fprintf(&b, `<text x="%d" y="%d">%s</text><text x="%d" y="%d" fill="#555">%s</text>`+"\n", x, y+16, escaped(name), x, y+31, escaped(below))
	}
	for i, name := range v.Inputs {
		box(-1-i, "white", name, "input")
	}
	for i, n := range v.Nodes {
		color := graphColors[n.Kind]
		if color == "" {
			color = "#f2f2f2"
		}
		name := n.Name
		if name == "" {
			name = n.Kind
		}
		box(i, color, name, n.Kind+" "+shapeText(n))
	}
	b.WriteString("</svg>\n")
	_, err := w.Write(b.Bytes())
	return err
}

// escaped is a text between tags.
func escaped(text string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return ""
	}
	return b.String()
}
