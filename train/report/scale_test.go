package report

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRoundStep(t *testing.T) {
	for _, c := range []struct {
		span  float64
		parts int
		want  step
	}{
		{10, 5, step{2, 0}},
		{11, 5, step{5, 0}}, // 2.2 is not round
		{1, 5, step{2, -1}},
		{0.025, 5, step{5, -3}},
		{100, 8, step{2, 1}}, // 12.5
		{100, 5, step{2, 1}},
		{5000, 5, step{1, 3}},
		{3e-5, 5, step{1, -5}}, // 6e-6
		{0.6, 6, step{1, -1}},  // rounding must not make it 0.2
	} {
		assert.Equal(t, c.want, roundStep(c.span, c.parts), "%v in %d parts", c.span, c.parts)
	}
}

func TestValueAxis(t *testing.T) {
	for name, c := range map[string]struct {
		low, high float64
		within    limits
		ticks     []float64
		labels    []string
	}{
		"percent":        {61.3, 99.77, hundred, []float64{60, 70, 80, 90, 100}, []string{"60", "70", "80", "90", "100"}},
		"loss":           {0.1808, 0.32, positive, []float64{0.15, 0.2, 0.25, 0.3, 0.35}, []string{"0.15", "0.20", "0.25", "0.30", "0.35"}},
		"learning rate":  {0, 0.025, positive, []float64{0, 0.005, 0.01, 0.015, 0.02, 0.025}, []string{"0", "0.005", "0.010", "0.015", "0.020", "0.025"}},
		"almost decided": {99.971, 99.998, hundred, []float64{99.97, 99.98, 99.99, 100}, []string{"99.97", "99.98", "99.99", "100.00"}},
		"one value":      {50, 50, hundred, []float64{44, 46, 48, 50, 52, 54, 56}, []string{"44", "46", "48", "50", "52", "54", "56"}},
		"all wrong":      {0, 0, hundred, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}, []string{"0", "0.2", "0.4", "0.6", "0.8", "1.0"}},
		"all right":      {100, 100, hundred, []float64{90, 92, 94, 96, 98, 100}, []string{"90", "92", "94", "96", "98", "100"}},
		"negative":       {-3, 4, limits{math.Inf(-1), math.Inf(1)}, []float64{-4, -2, 0, 2, 4}, []string{"-4", "-2", "0", "2", "4"}},
		"out of bounds":  {150, 150, hundred, []float64{135, 140, 145, 150}, []string{"135", "140", "145", "150"}},
		"tiny":           {0, 4e-9, positive, []float64{0, 1e-9, 2e-9, 3e-9, 4e-9}, []string{"0", "1e-09", "2e-09", "3e-09", "4e-09"}},
		"large":          {0, 21000, positive, []float64{0, 5000, 10000, 15000, 20000, 25000}, []string{"0", "5\u202f000", "10\u202f000", "15\u202f000", "20\u202f000", "25\u202f000"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := valueAxis(c.low, c.high, c.within)
			assert.Equal(t, c.ticks, a.ticks()) // the very floats that the literals are
			var labels []string
			for _, tick := range a.ticks() {
				labels = append(labels, a.label(tick))
			}
			assert.Equal(t, c.labels, labels)
			assert.GreaterOrEqual(t, a.at(c.low), 0.0)
			assert.LessOrEqual(t, a.at(c.high), 1.0)
		})
	}
}

func TestCountAxis(t *testing.T) {
	for name, c := range map[string]struct {
		low, high float64
		ticks     []float64
	}{
		"one epoch":      {1, 1, []float64{1}},
		"two epochs":     {1, 2, []float64{1, 2}},
		"ten epochs":     {1, 10, []float64{1, 2, 4, 6, 8, 10}},
		"hundred epochs": {1, 100, []float64{1, 20, 40, 60, 80, 100}},
		"resumed":        {38, 62, []float64{40, 45, 50, 55, 60}},
		"steps":          {20, 60000, []float64{20, 10000, 20000, 30000, 40000, 50000, 60000}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.ticks, countAxis(c.low, c.high).ticks())
		})
	}
}

func TestAxisAt(t *testing.T) {
	a := valueAxis(60, 100, hundred)
	assert.InDelta(t, 0, a.at(60), 1e-12)
	assert.InDelta(t, 0.25, a.at(70), 1e-12)
	assert.InDelta(t, 1, a.at(100), 1e-12)
	assert.InDelta(t, 0.5, countAxis(1, 1).at(1), 1e-12)
}
