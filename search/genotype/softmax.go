package genotype

import (
	"math"
	"slices"
)

// softmaxRows normalises every row of logits. It needs rows of equal length and
// fails on values that are not finite.
func softmaxRows(logits [][]float64) ([][]float64, error) {
	p := make([][]float64, len(logits))
	for edge, row := range logits {
		for op, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, badAlpha(edge, op, "%v is not finite; the search has diverged, lower its learning rate", v)
			}
		}
		p[edge] = softmax(row)
	}
	return p, nil
}

// softmax sums in order of size, so that rows with the same values in another
// order tie exactly.
func softmax(row []float64) []float64 {
	top := slices.Max(row)
	p := make([]float64, len(row))
	for i, v := range row {
		p[i] = math.Exp(v - top)
	}
	total := 0.0
	for _, e := range slices.Sorted(slices.Values(p)) {
		total += e
	}
	for i := range p {
		p[i] /= total
	}
	return p
}
