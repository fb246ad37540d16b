package spike

import (
	"math/rand"
	"testing"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInsideCountsWhatTheDefinitionSays(t *testing.T) {
	assertLive(t)
	rng := rand.New(rand.NewSource(31))
	for _, f := range Families() {
		for _, temperatures := range [][]float64{{3}, {1, 2, 5}} {
			lif := LIF{Tau: 0.6, Threshold: 0.5, Surrogate: f}
			p := newProblem(rng, lif, 4, []int64{8, 3, 6, 7}, temperatures, false, func(x float64) float64 { return toFloat32(3 * x) })
			inside, above := 0.0, 0.0
			for k, u := range p.potentials {
				b := p.temperature(k % p.neurons())
				switch {
				case f.Derivative(u-0.5, b) > 0.01*f.Derivative(0, b):
					inside++
				case u > 0.5:
					above++
				}
			}
			n := float64(len(p.potentials))
			s := torch.NewScope()
			current := tensor(s, p.current, torch.Float32, p.shape...)
			require.NoError(t, torch.RequireGradient(current, true))
			x, y := lif.Inside(s, s.ChannelsLast(current), tensor(s, temperatures, torch.Float32, int64(len(temperatures))), 4)
			require.NoError(t, s.Err())
			assert.InDelta(t, inside/n, s.Item(x), 1e-6, "%v %v", f, temperatures)
			assert.InDelta(t, above/n, s.Item(y), 1e-6, "%v %v", f, temperatures)
			require.NoError(t, s.Close())
		}
	}
}

func TestInsideOfWrongArguments(t *testing.T) {
	s := torch.NewInference()
	x, y := Default().Inside(s, s.Zeros(torch.CPU(), 5, 3), s.Full(torch.CPU(), 3), 2)
	assert.False(t, torch.Defined(x) || torch.Defined(y))
	assert.ErrorContains(t, s.Close(), "must be steps * batch")
}
