package spike

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// With one temperature for all neurons the CPU follows Dspike by a polynomial, whose
// degree grows with the temperature, and by the formula beyond that. Whatever it is:
// no further from the definition than stated, and exactly 0 outside.
func TestDspikeOnTheCPUOverAllTemperatures(t *testing.T) {
	assertLive(t)
	const n = 4001
	for _, threshold := range []float64{0.5, 0.75} {
		for _, dtype := range []int8{torch.Float32, torch.BFloat16} {
			// A share of the largest derivative; sixteen bits round by 2^-8 besides.
			round, tolerance := toFloat32, 1.5e-6
			if dtype == torch.BFloat16 {
				round, tolerance = toBFloat16, 5e-4+1.0/256
			}
			potentials := make([]float64, n)
			for i := range potentials {
				potentials[i] = round(threshold + 1.2*(float64(i)/(n-1)-0.5))
			}
			for _, b := range []float64{0.01, 0.5, 1, 1.8, 2.2, 3, 3.4, 4.2, 5, 6, 7, 9, 20, 80} {
				b = toFloat32(b)
				s := torch.NewScope()
				u := tensor(s, potentials, dtype, 1, n)
				require.NoError(t, torch.RequireGradient(u, true))
				y := s.Tensor("spikedhs::lif", u, s.Full(torch.CPU(), b), 0.2, threshold, 1)
				gradient := read(t, s.GradientOf(s.Sum(y), []torch.Tensor{u})[0])
				require.NoError(t, s.Err())
				largest := DefaultSurrogate.Derivative(0, b)
				worst := 0.0
				for i, have := range gradient {
					x := potentials[i] - threshold
					if math.Abs(x) >= 0.5 {
						require.Zero(t, have, "b=%v x=%v", b, x)
						continue
					}
					worst = max(worst, math.Abs(have-DefaultSurrogate.Derivative(x, b))/largest)
				}
				assert.LessOrEqual(t, worst, tolerance, "b=%v threshold=%v type=%v", b, threshold, dtype)
				t.Logf("type %v, b = %v: %.1e of the largest", dtype, b, worst)
				require.NoError(t, s.Close())
			}
		}
	}
}
