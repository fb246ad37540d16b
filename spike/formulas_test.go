package spike

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Derivative is dy/du at x = u - Vth for the temperature b, by the formula in float64: what
// the operators are tested against. The families of [Register] give their function, which
// the operators interpolate. It is NaN for a family that there is not.
func (f Surrogate) Derivative(x, b float64) float64 {
	z := b * x
	switch f {
	case "", DefaultSurrogate:
		if math.Abs(x) >= 0.5 {
			return 0
		}
		return b / 2 * (1 - math.Pow(math.Tanh(z), 2)) / math.Tanh(b/2)
	case Triangular:
		return b * max(0, 1-math.Abs(z))
	case SuperSpike:
		return 1 / ((1 + math.Abs(z)) * (1 + math.Abs(z)))
	case ArcTan:
		w := math.Pi / 2 * z
		return b / 2 / (1 + w*w)
	case Rectangular:
		if math.Abs(z) < 0.5 {
			return b
		}
		return 0
	case Exponential:
		return b / 2 * math.Exp(-math.Abs(z))
	}
	if r := registered(f); r != nil {
		return r.at(x, b)
	}
	return math.NaN()
}

// Value is the soft step whose slope is Derivative, 1/2 at x = 0. All but
// [SuperSpike]'s, which runs from 1/2 - 1/b to 1/2 + 1/b, go from 0 to 1. It is
// NaN for a family that there is not.
func (f Surrogate) Value(x, b float64) float64 {
	z := b * x
	switch f {
	case "", DefaultSurrogate:
		inside := max(-0.5, min(0.5, x)) // behind the ends it is 0 or 1
		return math.Tanh(b*inside)/(2*math.Tanh(b/2)) + 0.5
	case Triangular:
		z = max(-1, min(1, z))
		return 0.5 + z - z*math.Abs(z)/2
	case SuperSpike:
		return 0.5 + x/(1+math.Abs(z))
	case ArcTan:
		return 0.5 + math.Atan(math.Pi/2*z)/math.Pi
	case Rectangular:
		return max(0, min(1, 0.5+z))
	case Exponential:
		if z < 0 {
			return math.Exp(z) / 2
		}
		return 1 - math.Exp(-z)/2
	}
	if r := registered(f); r != nil {
		return 0.5 + r.area(x, b)
	}
	return math.NaN()
}

// at is the derivative without a table.
func (f *family) at(x, b float64) float64 {
	if math.Abs(b*x) >= tableReach {
		return 0
	}
	return f.derivative(x, b)
}

// area is the integral of the derivative from 0 to x, by Simpson's rule.
func (f *family) area(x, b float64) float64 {
	x = max(-tableReach/b, min(tableReach/b, x))
	const pieces = 1000
	h := x / pieces
	sum := 0.0
	for i := range pieces {
		left := float64(i) * h
		sum += f.derivative(left, b) + 4*f.derivative(left+h/2, b) + f.derivative(left+h, b)
	}
	return sum * h / 6
}

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
		assert.InDelta(t, peak, DefaultSurrogate.Derivative(0, b), 1e-12)
		assert.Less(t, DefaultSurrogate.Derivative(-0.05, b), peak)
		assert.InDelta(t, DefaultSurrogate.Derivative(-0.3, b), DefaultSurrogate.Derivative(0.3, b), 1e-12, "symmetric")
		assert.InDelta(t, 0, DefaultSurrogate.Value(1e-9-0.5, b), 1e-7)
		assert.InDelta(t, 0.5, DefaultSurrogate.Value(0, b), 1e-12)
		assert.InDelta(t, 1, DefaultSurrogate.Value(0.5-1e-9, b), 1e-7)
		assert.Zero(t, DefaultSurrogate.Value(-0.6, b))
		assert.Equal(t, 1.0, DefaultSurrogate.Value(0.6, b))
	}
}

func TestDspikeDerivativeIsTheSlopeOfValue(t *testing.T) {
	const h = 1e-6
	for _, b := range []float64{0.5, 1, 3, 6} {
		for x := -0.845; x < 0.9; x += 0.01 { // no point within h of 1/2 on either side
			slope := (DefaultSurrogate.Value(x+h, b) - DefaultSurrogate.Value(x-h, b)) / (2 * h)
			assert.InDelta(t, slope, DefaultSurrogate.Derivative(x, b), 1e-8, "b = %v, x = %v", b, x)
		}
	}
}
