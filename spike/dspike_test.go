package spike

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDspikeHandValues(t *testing.T) {
	for _, c := range []struct{ b, u, want float64 }{
		{3, 0.5, 1.657187}, {5, 0.5, 2.533918}, {3, 0, 0}, {3, 1, 0}, {3, -2, 0}, {3, 7, 0},
	} {
		assert.InDelta(t, c.want, Dspike{B: c.b}.Derivative(c.u), 5e-7, "b = %v, u = %v", c.b, c.u)
	}
	assert.Zero(t, Dspike{B: 3}.Derivative(0), "strict at both ends")
	assert.Zero(t, Dspike{B: 3}.Derivative(1))
}

func TestDspikeEndsAndPeak(t *testing.T) {
	for _, b := range []float64{0.5, 1, 3, 6} {
		d := Dspike{B: b}
		peak := b / (2 * math.Tanh(b/2))
		assert.InDelta(t, peak, d.Derivative(0.5), 1e-12)
		assert.Less(t, d.Derivative(0.45), peak)
		assert.InDelta(t, d.Derivative(0.2), d.Derivative(0.8), 1e-12, "symmetric")
		assert.InDelta(t, 0, d.Value(1e-9), 1e-7)
		assert.InDelta(t, 0.5, d.Value(0.5), 1e-12)
		assert.InDelta(t, 1, d.Value(1-1e-9), 1e-7)
		assert.Zero(t, d.Value(-0.1))
		assert.Equal(t, 1.0, d.Value(1.1))
	}
}

func TestDspikeDerivativeIsTheSlopeOfValue(t *testing.T) {
	const h = 1e-6
	for _, b := range []float64{0.5, 1, 3, 6} {
		d := Dspike{B: b}
		for u := -0.345; u < 1.4; u += 0.01 { // no point within h of 0 or 1
			assert.InDelta(t, (d.Value(u+h)-d.Value(u-h))/(2*h), d.Derivative(u), 1e-8, "b = %v, u = %v", b, u)
		}
	}
}
