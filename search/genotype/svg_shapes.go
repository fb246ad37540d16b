package genotype

import (
	"bytes"
	"fmt"
	"strings"
)

const (
	arrowWidth = 8
	cornerSize = 8
)

// The colours of drawings. Operations are told apart by people with any common
// colour vision, and white text is readable on each of them.
const (
	concatColor = "#8a94a3"
	inkColor    = "#1f2933"
	mutedColor  = "#52606d"
	boxColor    = "#f5f7fa"
	boxStroke   = "#52606d"
)

// opColors are those of the paper's operations, then of registered ones in turn.
var opColors = []string{Skip: "#00775b", B3: "#0067a8", B5: "#b34700", 3: "#7a3db8", 4: "#a1195b", 5: "#6b5d00"}

func opColor(o Op) string {
	if !o.Published() {
		o = NumOps + (o-NumOps)%Op(len(opColors)-NumOps)
	}
	return opColors[o]
}

func (r box) write(b *bytes.Buffer) {
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" rx="%d" fill="%s" stroke="%s" stroke-width="1.5"/>`+"\n",
		r.x, r.y, r.w, r.h, cornerSize, boxColor, boxStroke)
	x, y := r.x+r.w/2, r.middle()
	if r.note == "" {
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle" font-size="14" font-weight="bold">%s</text>`+"\n", x, y+5, r.label)
		return
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle" font-size="15" font-weight="bold">%s</text>`+"\n", x, y, r.label)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle" font-size="10" fill="%s">%s</text>`+"\n", x, y+16, mutedColor, r.note)
}

func (p pill) write(b *bytes.Buffer) {
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" rx="%d" fill="%s"/>`+"\n", p.x, p.y, p.w, p.h, p.h/2, opColor(p.op))
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle" font-weight="bold" fill="#ffffff">%s</text>`+"\n",
		p.x+p.w/2, p.middle()+noteSize/3, p.op.Label())
}

// write draws the line up to the base of the arrow and the arrow as a triangle.
func (w wire) write(b *bytes.Buffer) {
	color := opColor(w.op)
	if w.concat {
		color = concatColor
	}
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", w.path(), color)
	tip := w.legs[len(w.legs)-1].to
	fmt.Fprintf(b, `<path d="M%d %d l-%d -%d v%d z" fill="%s"/>`+"\n", tip.x, tip.y, arrowWidth, arrowWidth/2, arrowWidth, color)
}

func (w wire) path() string {
	var b strings.Builder
	fmt.Fprintf(&b, "M%d %d", w.start.x, w.start.y)
	from := w.start
	for i, l := range w.legs {
		to := l.to
		if i == len(w.legs)-1 {
			to.x -= arrowWidth
		}
		if l.curved {
			middle := (from.x + to.x) / 2
			fmt.Fprintf(&b, " C%d %d %d %d %d %d", middle, from.y, middle, to.y, to.x, to.y)
		} else {
			fmt.Fprintf(&b, " L%d %d", to.x, to.y)
		}
		from = to
	}
	return b.String()
}
