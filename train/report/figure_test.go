package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// wellFormed reads a drawing as XML.
func wellFormed(t *testing.T, svg []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		if _, err := d.Token(); err != nil {
			require.True(t, errors.Is(err, io.EOF), "%v", err)
			return
		}
	}
}

func TestLineChart(t *testing.T) {
	var b bytes.Buffer
	all := []Series{
		{"with <DGS> & more", []float64{1, 2, 3}, []float64{3, 2.8, math.NaN()}},
		{"without", []float64{1, 2, 3}, []float64{3, 3, 3}},
	}
	require.NoError(t, LineChart(&b, "Temperature", "epoch", all))
	wellFormed(t, b.Bytes())
	require.Contains(t, b.String(), "with &lt;DGS&gt; &amp; more")
	require.Equal(t, 2, strings.Count(b.String(), `<path class="line" d="M`)-2, "two lines and two in the legend")
	require.Contains(t, b.String(), "<style>")

	require.ErrorContains(t, LineChart(&b, "Nothing", "epoch", nil), "no values")
	require.ErrorContains(t, LineChart(&b, "Torn", "epoch", []Series{{"a", []float64{1}, nil}}), "1 places and 0 values")
}

// attribute returns a number of the first element with the text.
func attribute(t *testing.T, svg, element, name string) float64 {
	t.Helper()
	_, rest, found := strings.Cut(svg, element)
	require.True(t, found, element)
	_, rest, found = strings.Cut(rest, " "+name+`="`)
	require.True(t, found, name)
	text, _, _ := strings.Cut(rest, `"`)
	x, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return x
}

func TestBarChartBeginsAtZero(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, BarChart(&b, "Firing", []Bar{{"stem", 10, 0}, {"cell0", 20, 1.5}}))
	wellFormed(t, b.Bytes())
	first, second, _ := strings.Cut(b.String(), ">stem<")
	_, third, _ := strings.Cut(second, ">cell0<")
	short, long := attribute(t, second, `<rect class="bar"`, "width"), attribute(t, third, `<rect class="bar"`, "width")
	require.InDelta(t, 2*short, long, 0.02, "bars are as long as their numbers")
	require.NotContains(t, first, `<circle`)
	require.Equal(t, 3, strings.Count(b.String(), `class="whisker"`), "one deviation")
	require.Contains(t, b.String(), "20.00 ± 1.50")
}

func TestBarChartCutsTheAxisForPoints(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, BarChart(&b, "Accuracy", []Bar{{"n3", 88, 0.2}, {"n4", 89, 0.1}}))
	wellFormed(t, b.Bytes())
	require.Equal(t, 2, strings.Count(b.String(), "<circle"))
	require.NotContains(t, b.String(), `<rect class="bar"`)
	require.Error(t, BarChart(&b, "Empty", nil))
	require.Error(t, BarChart(&b, "Bad", []Bar{{"x", math.Inf(1), 0}}))
}
