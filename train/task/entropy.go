package task

import (
	"fmt"
	"math"

	"github.com/spikedhs/spikedhs/search/trellis"
)

// BetaEntropy is the mean entropy of the moves out of the levels that can be reached,
// as a share of its maximum: 1 undecided, 0 decided or nothing to choose.
func BetaEntropy(t trellis.Space, beta trellis.Beta) (float64, error) {
	probabilities, err := t.Probabilities(beta)
	if err != nil {
		return 0, fmt.Errorf("train: %w", err)
	}
	sum, n := 0.0, 0.0
	for layer, levels := range probabilities {
		for level := range t.Sources(layer) {
			total, entropy, choices := 0.0, 0.0, 0.0
			for _, q := range levels[level] {
				total += q // 2/3 at the borders
			}
			for m, q := range levels[level] {
				if _, ok := t.Target(trellis.Move(m), level); ok {
					choices++
				}
				if q > 0 {
					entropy -= q / total * math.Log(q/total)
				}
			}
			if choices > 1 {
				sum, n = sum+entropy/math.Log(choices), n+1
			}
		}
	}
	return sum / max(n, 1), nil
}
