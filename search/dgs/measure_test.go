package dgs

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A reading is what loops over float64 count.
func TestMeasureAgainstDefinition(t *testing.T) {
	for _, tau := range []float64{0, 0.2} {
		leaks(t)
		o := newOracle(21, tau, 4, 5, 9, 8, 3)
		o.layers[0].b, o.layers[1].b = 6, 3 // steep: saturated inside of its support
		net := o.tensors(t)
		readings, err := Measure(net.layers, net.loss(o), nil, 0)
		require.NoError(t, err)
		o.pass()
		for k, l := range o.layers {
			var inside, useless, fired, count float64
			for step := range o.steps {
				for n := range o.n {
					for _, u := range l.u[step][n] {
						count++
						d := math.Abs(u - o.vth)
						if d < 0.5 {
							inside++
						}
						if h := math.Tanh(l.b * d); d >= 0.5 || 1-h*h < 0.05 {
							useless++
						}
						if u > o.vth {
							fired++
						}
					}
				}
			}
			r := readings[k]
			assert.Equal(t, net.layers[k].Name, r.Layer)
			assert.InDelta(t, l.b, r.Temperature, 1e-6)
			assert.InDelta(t, o.gradient(l).norm(), r.Gradient, 1e-6)
			assert.InDelta(t, inside/count, r.Support, 1e-6)
			assert.InDelta(t, useless/count, r.Useless, 1e-6)
			assert.InDelta(t, fired/count, r.Rate, 1e-6)
			assert.Positive(t, r.Rate)
			assert.Greater(t, r.Support, 0.1)
		}
		assert.Greater(t, readings[0].Useless, 1-readings[0].Support, "some are saturated")
	}
}

func TestWorst(t *testing.T) {
	var layers []*Layer
	var readings []Reading
	for i, useless := range []float64{0.2, 0.7, 0.7, 0.1, 0.9} {
		layers = append(layers, &Layer{Name: string(rune('a' + i))})
		readings = append(readings, Reading{Useless: useless})
	}
	name := func(list []*Layer) (all string) {
		for _, l := range list {
			all += l.Name
		}
		return all
	}
	assert.Equal(t, "e", name(Worst(layers, readings, 1)))
	assert.Equal(t, "be", name(Worst(layers, readings, 2)))
	assert.Equal(t, "abce", name(Worst(layers, readings, 4)))
	assert.Equal(t, "abcde", name(Worst(layers, readings, 9)))
}
