package genotype

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func drawSVG(t testing.TB, g Genotype) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, SVG(&b, g))
	return b.String()
}

// svgTexts reads the whole image as XML and returns the words in it.
func svgTexts(t testing.TB, image string) []string {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(image))
	var texts []string
	inText := false
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			inText = token.Name.Local == "text"
			assert.Equal(t, "http://www.w3.org/2000/svg", token.Name.Space)
		case xml.EndElement:
			inText = false
		case xml.CharData:
			if inText {
				texts = append(texts, string(token))
			}
		}
	}
}

func TestSVGNamesEverything(t *testing.T) {
	texts := svgTexts(t, drawSVG(t, twoCells(t)))
	count := map[string]int{}
	for _, text := range texts {
		count[text]++
	}
	for _, name := range []string{"s0", "s1", "n0", "n1", "n2", "out"} {
		assert.Equal(t, 2, count[name], "%s stands once in each cell", name)
	}
	assert.Equal(t, 5+3+1, count["b3"], "labels of both cells and the legend")
	assert.Equal(t, 1+3+1, count["b5"])
	assert.Equal(t, 1, count["skip"])
	assert.Equal(t, 1, count["normal cell"])
	assert.Equal(t, 1, count["two cells"])
}

func TestSVGEscapesAndShortens(t *testing.T) {
	g := mustPreset(t)
	g.Name = `</text> & "quotes" <script>`
	assert.Contains(t, svgTexts(t, drawSVG(t, g)), g.Name)
	g.Name = strings.Repeat("長", 1000)
	for _, text := range svgTexts(t, drawSVG(t, g)) {
		assert.Less(t, len([]rune(text)), 100)
	}
}

func TestPanelsDoNotOverlap(t *testing.T) {
	for _, g := range all(t) {
		p := newPage(g)
		for _, r := range p.rows {
			previous := pageMargin
			line := r.panels[0].at.y + r.panels[0].row
			for _, panel := range r.panels {
				assert.GreaterOrEqual(t, panel.at.x, previous)
				assert.GreaterOrEqual(t, panel.at.y, pageMargin+headerHeight)
				assert.LessOrEqual(t, panel.at.y+panel.height, p.height-pageMargin-pillHeight)
				assert.Equal(t, line, panel.at.y+panel.row, "nodes stand at one height")
				previous = panel.at.x + panel.width + panelGap
			}
			assert.LessOrEqual(t, previous-panelGap, p.width-pageMargin)
		}
	}
}

func TestDrawingsRejectInvalidGenotypes(t *testing.T) {
	assert.ErrorIs(t, SVG(io.Discard, Genotype{}), ErrInvalid)
	assert.ErrorIs(t, DOT(io.Discard, Genotype{}), ErrInvalid)
}

type brokenWriter struct{}

var errBroken = errors.New("broken pipe")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestDrawingsReportWriteErrors(t *testing.T) {
	assert.ErrorIs(t, SVG(brokenWriter{}, mustPreset(t)), errBroken)
	assert.ErrorIs(t, DOT(brokenWriter{}, mustPreset(t)), errBroken)
}

func TestDOTQuotes(t *testing.T) {
	g := mustPreset(t)
	g.Name = `a "b" \n c`
	var b bytes.Buffer
	require.NoError(t, DOT(&b, g))
	assert.True(t, strings.HasPrefix(b.String(), `digraph "a \"b\" \\n c" {`+"\n"), b.String())
}
