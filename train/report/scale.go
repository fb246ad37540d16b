package report

import (
	"fmt"
	"math"
	"strconv"
)

// step is the distance between ticks: mantissa times ten to the exponent, where the
// mantissa is 1, 2 or 5.
type step struct{ mantissa, exponent int }

// value is the distance as a number.
func (s step) value() float64 { return s.times(1) }

// times is the i-th multiple, as exact as a float can be.
func (s step) times(i int) float64 {
	if s.exponent < 0 {
		return float64(i*s.mantissa) / math.Pow10(-s.exponent)
	}
	return float64(i*s.mantissa) * math.Pow10(s.exponent)
}

// index is the number of the multiple at or below x.
func (s step) index(x float64) int {
	const slack = 1e-9 // a multiple that rounding left just below itself
	return int(math.Floor(x/s.value() + slack))
}

// next is the next larger distance with a round number.
func (s step) next() step {
	switch s.mantissa {
	case 1:
		return step{2, s.exponent}
	case 2:
		return step{5, s.exponent}
	}
	return step{1, s.exponent + 1}
}

// roundStep is the smallest round distance that divides span into at most the given
// number of parts.
func roundStep(span float64, parts int) step {
	s := step{1, int(math.Floor(math.Log10(span / float64(parts))))}
	for s.value()*float64(parts) < span*(1-1e-9) {
		s = s.next()
	}
	return s
}

// axis maps values to the shares 0 to 1 of a length.
type axis struct {
	low, high float64
	step      step
}

// limits are values that an axis does not go beyond.
type limits struct{ low, high float64 }

var (
	positive = limits{0, math.Inf(1)}
	hundred  = limits{0, 100}
)

// valueAxis is an axis from round number to round number around all values. It stays
// within the limits unless a value does not.
func valueAxis(low, high float64, within limits) axis {
	const parts = 5
	within.low, within.high = min(within.low, low), max(within.high, high)
	if high-low <= max(1e-12, 1e-9*max(math.Abs(low), math.Abs(high))) { // as good as one value
		pad := math.Abs(low) / 10
		if pad == 0 {
			pad = 1
		}
		low, high = max(low-pad, within.low), min(high+pad, within.high)
	}
	s := roundStep(high-low, parts)
	a := axis{step: s, low: s.times(s.index(low)), high: s.times(-s.index(-high))}
	a.low, a.high = max(a.low, within.low), min(a.high, within.high)
	return a
}

// countAxis is an axis of whole numbers, such as epochs, that begins and ends where
// the values do.
func countAxis(low, high float64) axis {
	const parts = 8
	if low == high {
		return axis{low - 0.5, high + 0.5, step{1, 0}}
	}
	s := roundStep(high-low, parts)
	if s.exponent < 0 {
		s = step{1, 0}
	}
	return axis{low, high, s}
}

// ticks are the multiples of the step on the axis, and its low end where that is no
// multiple but has room for a label.
func (a axis) ticks() []float64 {
	var all []float64
	first := a.step.times(-a.step.index(-a.low))
	if a.low == math.Floor(a.low) && first-a.low > 0.4*a.step.value() {
		all = append(all, a.low)
	}
	for i := -a.step.index(-a.low); i <= a.step.index(a.high); i++ {
		all = append(all, a.step.times(i))
	}
	return all
}

// at is where a value lies, 0 at the low end and 1 at the high end.
func (a axis) at(x float64) float64 { return (x - a.low) / (a.high - a.low) }

// label writes a tick with the decimals that tell it from the next.
func (a axis) label(tick float64) string {
	switch {
	case tick == 0:
		return "0"
	case a.step.exponent < -6:
		return strconv.FormatFloat(tick, 'g', 3, 64)
	case a.step.exponent < 0:
		return strconv.FormatFloat(tick, 'f', -a.step.exponent, 64)
	case math.Abs(tick) >= 1e7:
		return fmt.Sprintf("%.3g", tick)
	}
	return grouped(int64(math.Round(tick)))
}
