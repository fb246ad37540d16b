package dgs

import (
	"math"

	"github.com/spikedhs/spikedhs/torch"
)

// mixture makes a layer compute with all candidates' weights at once.
type mixture struct {
	weights [][]Tensor // by candidate and parameter
	alpha   Tensor     // [N], requires a gradient
	calls   int
}

// forward is eq. 7 and the layer's neurons. The shares sum to 1, so the sum of the
// currents may be written from the current I_0 of the present weights on,
//
//	sum_i p_i I_i = I_0 + sum_i p_i (I_i - I_0),
//
// which is kinder to the gradient of alpha: the I_i differ in their last digits
// only, and alpha feels nothing but their differences.
func (m *mixture) forward(s *torch.Scope, l *Layer, inputs []Tensor) Tensor {
	m.calls++
	base := l.Current(s, l.weights(s), inputs...)
	shares := s.Unbind(s.Softmax(m.alpha, 0), 0)
	if s.Err() != nil {
		return Tensor{}
	}
	wide := widen(s, base)
	current := wide
	for i, w := range m.weights {
		other := widen(s, l.Current(s, w, inputs...))
		current = s.Add(current, s.Mul(s.Sub(other, wide), shares[i]))
	}
	return s.CastLike(l.fire(s, current), base)
}

// widen gives 16 bits in float32: in 8 or 11 digits the I_i would be alike.
func widen(s *torch.Scope, x Tensor) Tensor {
	if kind, err := torch.Dtype(x); err == nil && (kind == torch.BFloat16 || kind == torch.Float16) {
		return s.Cast(x, torch.Float32)
	}
	return x
}

// softmax of numbers.
func softmax(alpha []float64) []float64 {
	shares, sum := make([]float64, len(alpha)), 0.0
	for i, a := range alpha {
		// alpha stays within a few learning rates of epsilon: no overflow.
		shares[i] = math.Exp(a - alpha[0])
		sum += shares[i]
	}
	for i := range shares {
		shares[i] /= sum
	}
	return shares
}
