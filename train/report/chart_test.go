package report

import (
	"encoding/xml"
	"html/template"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// requireXML fails unless the text is well-formed, and counts the elements by name.
func requireXML(t testing.TB, text string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return counts
		}
		require.NoError(t, err)
		if start, ok := token.(xml.StartElement); ok {
			counts[start.Name.Local]++
		}
	}
}

func testChart(all ...series) chart {
	return chart{title: "Loss", across: "epoch", series: all, within: positive, format: fixed}
}

func line(n int) []point {
	var points []point
	for i := range n {
		points = append(points, point{float64(i + 1), float64(i)})
	}
	return points
}

func marks(c chart) int { return strings.Count(string(c.draw()), `class="mark"`) }

func TestChart(t *testing.T) {
	image := string(testChart(series{name: `a<b>&"c"`, points: line(2)}, series{name: "train", points: line(2), dashed: true}).draw())
	counts := requireXML(t, image)
	assert.Equal(t, 1, counts["svg"])
	assert.Contains(t, image, "a&lt;b&gt;&amp;")
	assert.Contains(t, image, ">1.0000<", "the last value is in the legend")
	assert.Contains(t, image, "train, epoch 2: 1.0000", "a point tells its value")
	assert.Contains(t, image, "line dashed")
	assert.NotContains(t, image, "NaN")
}

func TestChartWithoutNumbers(t *testing.T) {
	assert.Equal(t, template.HTML(""), testChart().draw())
	assert.Equal(t, template.HTML(""), testChart(series{name: "empty"}).draw())
	assert.Equal(t, template.HTML(""), testChart(series{points: []point{{1, math.NaN()}, {2, math.Inf(1)}}}).draw())
}

func TestChartSinglePoint(t *testing.T) {
	c := testChart(series{name: "loss", points: []point{{1, 0.5}}})
	assert.Equal(t, 2, marks(c), "one in the legend, one in the chart")
	assert.NotContains(t, string(c.draw()), "NaN")
}

func TestChartMarksFewPointsOnly(t *testing.T) {
	assert.Equal(t, fewPoints+1, marks(testChart(series{points: line(fewPoints)})))
	many := testChart(series{points: line(fewPoints + 1)})
	assert.Equal(t, 1, marks(many))
	assert.Equal(t, fewPoints+1, strings.Count(string(many.draw()), `class="hit"`))
}

func TestChartGap(t *testing.T) {
	image := string(testChart(series{points: []point{{1, 1}, {2, math.NaN()}, {3, 2}, {4, 1}}}).draw())
	paths := regexp.MustCompile(`<path class="line" d="([^"]*)"`).FindAllStringSubmatch(image, -1)
	require.Len(t, paths, 2, "the legend and the series")
	assert.Equal(t, 2, strings.Count(paths[1][1], "M"), "a line before the gap and one behind it")
}

func TestLegendWraps(t *testing.T) {
	p := plot{chart: testChart(
		series{name: strings.Repeat("a", 60), points: line(2)}, series{name: strings.Repeat("b", 25), points: line(2)}, series{name: "c", points: line(2)},
	)}
	assert.Equal(t, [][]int{{0}, {1, 2}}, p.legendRows())
	name, _ := p.legendText(p.series[0])
	assert.Equal(t, strings.Repeat("a", legendName-1)+"…", name)
}

func TestThin(t *testing.T) {
	assert.Equal(t, line(5), thin(line(5), 5))
	assert.Equal(t, []point{{1.5, 0.5}, {3.5, 2.5}, {5, 4}}, thin(line(5), 3))
	assert.Len(t, thin(line(10_000), mostPoints), mostPoints)
}

func TestCurveStatistics(t *testing.T) {
	points := []point{{1, 3}, {2, 7}, {3, 7}, {4, 1}, {5, math.NaN()}}
	at, ok := last(points)
	assert.True(t, ok)
	assert.Equal(t, point{4, 1}, at)
	at, _ = highest(points)
	assert.Equal(t, point{2, 7}, at)
	middle, _ := median(points)
	assert.InDelta(t, 5, middle, 0)
	_, ok = median(points[4:])
	assert.False(t, ok)
}
