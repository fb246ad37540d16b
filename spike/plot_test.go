package spike

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

//go:generate go test -run TestPlotOfTheFamilies -update .

var update = flag.Bool("update", false, "write docs/img/surrogates.svg anew")

// A panel of the plot, in pixels, and what it shows.
const (
	panelWidth, panelHeight = 300.0, 170.0
	panelGapX, panelGapY    = 50.0, 56.0
	marginLeft, marginTop   = 46.0, 66.0
	lowU, highU             = -1.0, 2.0
	highDerivative          = 5.2
	samples                 = 600
)

// curves are the temperatures of a panel and their colours.
var curves = []struct {
	b      float64
	colour string
}{{1, "#9ecae1"}, {2, "#4f9bd0"}, {3, "#08519c"}, {5, "#b2182b"}}

// plot draws the derivatives of the families that are built in over the membrane
// potential u, as SVG.
func plot() []byte {
	var w bytes.Buffer
	width := marginLeft + 2*panelWidth + panelGapX + 16
	height := marginTop + 3*(panelHeight+panelGapY)
	fmt.Fprintf(&w, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="12" fill="#222">`+"\n", width, height, width, height)
	fmt.Fprintf(&w, `<rect width="%.0f" height="%.0f" fill="#fff"/>`+"\n", width, height)
	fmt.Fprintf(&w, `<text x="%.0f" y="20" font-size="14">dy/du over the membrane potential u, threshold 0.5</text>`+"\n", marginLeft)
	for i, c := range curves {
		x := marginLeft + 80*float64(i)
		fmt.Fprintf(&w, `<path d="M%.0f 36h24" stroke="%s" stroke-width="2"/><text x="%.0f" y="40">b = %g</text>`+"\n", x, c.colour, x+30, c.b)
	}
	for i, f := range builtIn {
		drawPanel(&w, f, marginLeft+float64(i%2)*(panelWidth+panelGapX), marginTop+float64(i/2)*(panelHeight+panelGapY))
	}
	w.WriteString("</svg>\n")
	return w.Bytes()
}

func drawPanel(w io.Writer, f Surrogate, left, top float64) {
	x := func(u float64) float64 { return left + (u-lowU)/(highU-lowU)*panelWidth }
	y := func(d float64) float64 { return top + (1-d/highDerivative)*panelHeight }
	fmt.Fprintf(w, `<text x="%.0f" y="%.0f" font-weight="bold">%s</text>`+"\n", left, top-6, f)
	for u := lowU; u <= highU; u += 0.5 {
		fmt.Fprintf(w, `<path d="M%.1f %.1fv%.1f" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="middle">%g</text>`+"\n", x(u), top, panelHeight, x(u), top+panelHeight+16, u)
	}
	for d := 0.0; d <= highDerivative; d++ {
		fmt.Fprintf(w, `<path d="M%.1f %.1fh%.1f" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="end">%g</text>`+"\n", left, y(d), panelWidth, left-6, y(d)+4, d)
	}
	for _, c := range curves {
		points := make([]string, samples+1)
		for i := range points {
			u := lowU + (highU-lowU)*float64(i)/samples
			points[i] = fmt.Sprintf("%.1f,%.1f", x(u), y(f.Derivative(u-DefaultThreshold, c.b)))
		}
		fmt.Fprintf(w, `<polyline fill="none" stroke="%s" stroke-width="1.5" points="%s"/>`+"\n", c.colour, strings.Join(points, " "))
	}
}

// The plot in the documents is the one that this code draws; go generate writes it.
func TestPlotOfTheFamilies(t *testing.T) {
	file := filepath.Join("..", "docs", "img", "surrogates.svg")
	drawn := plot()
	if *update {
		require.NoError(t, os.WriteFile(file, drawn, 0o644))
	}
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(kept), string(drawn), "run go generate ./spike")

	decoder := xml.NewDecoder(bytes.NewReader(kept))
	curvesDrawn := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "polyline" {
			curvesDrawn++
		}
	}
	assert.Equal(t, len(builtIn)*len(curves), curvesDrawn)
}
