package torch

import (
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Steps as channels of one normalisation give what a normalisation of each step after
// the other gives: values, every gradient, running statistics.
func TestStepNormIsALoop(t *testing.T) {
	const steps = 3
	for name, shape := range map[string][]int64{"images": {steps * 2, 4, 3, 5}, "one image": {steps, 2, 4, 4}, "rows": {steps * 4, 3}} {
		t.Run(name, func(t *testing.T) {
			assertLive(t)
			s := NewScope()
			defer s.Close()
			rng := rand.New(rand.NewSource(9))
			x, g := random(rng, shape...), random(rng, shape...).tensor(s)
			channels := shape[1]
			weight, bias := random(rng, channels), random(rng, channels)
			mean := random(rng, channels)
			var results [2][]Tensor
			for i := range results {
				v := NewVariables(CPU())
				defer v.Close()
				b := NewBatchNorm(v.Root().Sub("norm"), channels)
				require.NoError(t, v.Err())
				c := s.WithoutGradient()
				for to, from := range map[Tensor]array{b.Weight: weight, b.Bias: bias, b.Mean: mean} {
					c.CopyTo(to, from.tensor(c))
				}
				require.NoError(t, c.Close())
				input := x.leaf(t, s)
				var y Tensor
				if i == 0 {
					parts := s.Split(input, 0, int(shape[0])/steps)
					for k, part := range parts {
						parts[k] = b.Forward(s, part, Train)
					}
					y = s.Cat(parts, 0)
				} else {
					n := NewStepNorm(v.Root(), b, int(channels), steps)
					require.Equal(t, []*StepNorm{n}, v.StepNorms())
					tiles := s.TileTogether([]Tensor{b.Weight, b.Bias}, steps)
					require.NoError(t, s.Err())
					y = n.Train(s, input, tiles[0], tiles[1])
					assertClose(t, mean, b.Mean, 0)
					s.MoveStatistics([]*StepNorm{n})
				}
				gradients := s.GradientOf(s.Sum(s.Mul(s.Mul(y, y), g)), []Tensor{input, b.Weight, b.Bias})
				require.NoError(t, s.Err())
				results[i] = append([]Tensor{y, s.Clone(b.Mean), s.Clone(b.Variance)}, gradients...)
			}
			for k, want := range results[0] {
				assertClose(t, read(t, want), results[1][k], 2e-5)
			}
		})
	}
	s := NewScope()
	defer s.Close()
	v := NewVariables(CPU())
	defer v.Close()
	n := NewStepNorm(v.Root(), NewBatchNorm(v.Root().Sub("norm"), 2), 2, 2)
	n.Train(s, s.Zeros(CPU(), 3, 2), s.Zeros(CPU(), 4), s.Zeros(CPU(), 4))
	assert.ErrorContains(t, s.Err(), "with 2 steps, has shape [3, 2]")
}
