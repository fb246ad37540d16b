package stereo

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/torchtest"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

// laplace is the normalised target over bins, by its definition.
func laplace(d, b float64, bins int) []float64 {
	q := make([]float64, bins)
	sum := 0.0
	for j := range q {
		q[j] = math.Exp(-math.Abs(2*float64(j)-d)/b) / (2 * b)
		sum += q[j]
	}
	for j := range q {
		q[j] /= sum
	}
	return q
}

// lossOf is the loss, which both forms agree on.
func lossOf(t *testing.T, cost, truth []float32, bins int64, b float64) float64 {
	t.Helper()
	s := torch.NewScope()
	defer s.Close()
	n := int64(len(truth))
	c, d := torch.FromSlice(s, cost, 1, bins, 1, n), torch.FromSlice(s, truth, 1, 1, n)
	value := s.Item(Loss(s, c, d, b))
	q, valid := target(s, c, d, b)
	assert.InDelta(t, value, s.Item(lossByBin(s, c, q, valid)), 1e-5)
	require.NoError(t, s.Err())
	return value
}

// The least loss over the disparities of MVSEC's rig, 4 to 28 px, which is the
// entropy of the target, and that of a uniform cost.
func TestLossFloors(t *testing.T) {
	const bins, pixels = 32, 4800
	for b, want := range map[float64]float64{1: 1.020, 2: 1.678} {
		cost := make([]float32, bins*pixels)
		truth := make([]float32, pixels)
		entropy := 0.0
		for i := range truth {
			truth[i] = float32(4 + 24*(float64(i)+0.5)/pixels)
			for j, q := range laplace(float64(truth[i]), b, bins) {
				cost[j*pixels+i] = float32(math.Log(q))
				entropy -= q * math.Log(q) / pixels
			}
		}
		have := lossOf(t, cost, truth, bins, b)
		assert.InDelta(t, want, have, 2.5e-3, "b = %v", b)
		assert.InDelta(t, entropy, have, 1e-5)
		assert.InDelta(t, math.Log(32), lossOf(t, make([]float32, bins*pixels), truth, bins, b), 1e-5)
	}
}

func TestLossAgainstDefinition(t *testing.T) {
	const bins = 5
	inf := float32(math.Inf(1))
	truth := []float32{0, 3.3, inf, 9.5, float32(math.NaN()), 25}
	n := len(truth)
	cost := make([]float32, bins*n)
	for i := range cost {
		cost[i] = float32(math.Sin(float64(3*i))) * 2
	}
	want, count := 0.0, 0.0
	for i, d := range truth {
		if math.IsInf(float64(d), 0) || math.IsNaN(float64(d)) {
			continue
		}
		sum := 0.0
		for j := range bins {
			sum += math.Exp(float64(cost[j*n+i]))
		}
		for j, q := range laplace(float64(d), 1.5, bins) {
			want -= q * (float64(cost[j*n+i]) - math.Log(sum))
		}
		count++
	}
	assert.InDelta(t, want/count, lossOf(t, cost, truth, bins, 1.5), 1e-5)
	assert.Zero(t, lossOf(t, cost, []float32{inf, inf, inf, inf, inf, inf}, bins, 1), "no pixel is valid")
}

// The gradient is softmax(C) - q, divided by the number of valid pixels, and 0
// where there is no truth.
func TestLossGradient(t *testing.T) {
	s := torch.NewScope()
	defer s.Close()
	cost := torch.FromSlice(s, []float32{1, 0, -1, 2, 0.5, 0}, 1, 3, 1, 2)
	require.NoError(t, torch.RequireGradient(cost, true))
	truth := torch.FromSlice(s, []float32{2.5, float32(math.Inf(1))}, 1, 1, 2)
	target, valid := target(s, cost, truth, 1)
	q := laplace(2.5, 1, 3)
	c := []float64{1, -1, 0.5}
	sum := math.Exp(c[0]) + math.Exp(c[1]) + math.Exp(c[2])
	for _, loss := range []torch.Tensor{Loss(s, cost, truth, 1), lossByBin(s, cost, target, valid)} {
		have, err := torch.ToSlice[float32](s.GradientOf(loss, []torch.Tensor{cost})[0])
		require.NoError(t, err)
		for j := range 3 {
			assert.InDelta(t, math.Exp(c[j])/sum-q[j], have[2*j], 1e-6)
			assert.Zero(t, have[2*j+1])
		}
	}
}
