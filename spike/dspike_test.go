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
		assert.InDelta(t, c.want, DefaultSurrogate.Derivative(c.u-0.5, c.b), 5e-7, "b = %v, u = %v", c.b, c.u)
	}
	assert.Zero(t, DefaultSurrogate.Derivative(-0.5, 3), "strict at both ends")
	assert.Zero(t, DefaultSurrogate.Derivative(0.5, 3))
}

func TestDspikeEndsAndPeak(t *testing.T) {
	for _, b := range []float64{0.5, 1, 3, 6} {
		peak := b / (2 * math.Tanh(b/2))
		assert.InDelta(t, peak, DefaultSurrogate.Derivative(0.5-0.5, b), 1e-12)
		assert.Less(t, DefaultSurrogate.Derivative(0.45-0.5, b), peak)
		assert.InDelta(t, DefaultSurrogate.Derivative(0.2-0.5, b), DefaultSurrogate.Derivative(0.8-0.5, b), 1e-12, "symmetric")
		assert.InDelta(t, 0, DefaultSurrogate.Value(1e-9-0.5, b), 1e-7)
		assert.InDelta(t, 0.5, DefaultSurrogate.Value(0.5-0.5, b), 1e-12)
		assert.InDelta(t, 1, DefaultSurrogate.Value(1-1e-9-0.5, b), 1e-7)
		assert.Zero(t, DefaultSurrogate.Value(-0.1-0.5, b))
		assert.Equal(t, 1.0, DefaultSurrogate.Value(1.1-0.5, b))
	}
}

func TestDspikeDerivativeIsTheSlopeOfValue(t *testing.T) {
	const h = 1e-6
	for _, b := range []float64{0.5, 1, 3, 6} {
		for u := -0.345; u < 1.4; u += 0.01 { // no point within h of 0 or 1
			assert.InDelta(t, (DefaultSurrogate.Value(u+h-0.5, b)-DefaultSurrogate.Value(u-h-0.5, b))/(2*h), DefaultSurrogate.Derivative(u-0.5, b), 1e-8, "b = %v, u = %v", b, u)
		}
	}
}
