package spike

import "math"

// Dspike is the surrogate of a spike (Li et al. 2021, as used in section 3.1):
//
//	Dspike(x) = tanh(b (x - c)) / (2 tanh(b/2)) + 1/2,  c = Vth = 0.5
//
// on 0 < x < 1, continued by 0 and 1. B is its temperature: larger is steeper.
type Dspike struct {
	B float64
}

// Value is Dspike at the membrane potential u.
func (d Dspike) Value(u float64) float64 {
	switch {
	case u <= 0:
		return 0
	case u >= 1:
		return 1
	}
	return math.Tanh(d.B*(u-DefaultThreshold))/(2*math.Tanh(d.B/2)) + 0.5
}

// Derivative is dDspike/du, which stands for dy/du in the backward pass:
// (b/2) (1 - tanh^2(b (u - 0.5))) / tanh(b/2) for 0 < u < 1, else exactly 0.
func (d Dspike) Derivative(u float64) float64 {
	if u <= 0 || u >= 1 {
		return 0
	}
	h := math.Tanh(d.B * (u - DefaultThreshold))
	return d.B / 2 * (1 - h*h) / math.Tanh(d.B/2)
}
