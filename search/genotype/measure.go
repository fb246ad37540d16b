package genotype

import (
	"fmt"
	"math"
)

// SkipShare returns the share of kept edges whose operation is skip, 0 to 1. A
// share that grows during a search warns of skip collapse.
func SkipShare(c Cell) float64 {
	if len(c.Edges) == 0 {
		return 0
	}
	skips := 0
	for _, e := range c.Edges {
		if e.Op == Skip {
			skips++
		}
	}
	return float64(skips) / float64(len(c.Edges))
}

// Entropy returns the mean entropy of the softmax rows of alpha, in nats and as
// a share of its maximum ln(operations). It starts near 1 and falls as a search
// settles on operations. The columns are ops, those of the paper where none is given. Errors wrap ErrAlpha.
func Entropy(alpha [][]float64, ops ...Op) (nats, share float64, err error) {
	if len(alpha) == 0 {
		return 0, 0, fmt.Errorf("%w: no rows; give one per edge", ErrAlpha)
	}
	if err := checkWidth(alpha, over(ops)); err != nil {
		return 0, 0, err
	}
	p, err := softmaxRows(alpha)
	if err != nil {
		return 0, 0, err
	}
	for _, row := range p {
		for _, v := range row {
			if v > 0 {
				nats -= v * math.Log(v)
			}
		}
	}
	nats /= float64(len(p))
	return nats, nats / math.Log(float64(len(alpha[0]))), nil
}
