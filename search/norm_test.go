package search

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// Per-step normalisation in training is the normalisation of each step's batch
// by itself, step after step: the running statistics move T times.
func TestPerStepNormIsALoop(t *testing.T) {
	const steps, batch, channels = 3, 4, 2
	s := begin(t, 3)
	o := tinyOptions(0)
	o.PerStepNorm = true
	v := torch.NewVariables(torch.CPU())
	defer v.Close()
	n := newNorm(v.Root(), channels, &o)
	require.NoError(t, v.Err())
	x := s.Randn(torch.CPU(), steps*batch, channels)
	values := read(t, x)
	want := make([]float32, len(values))
	runningMean, runningVariance := []float64{0, 0}, []float64{1, 1}
	for step := range steps {
		var rows [][]float64
		for i := range batch {
			at := (step*batch + i) * channels
			rows = append(rows, float64s(values[at:at+channels]))
		}
		mean, variance := moments(rows)
		for i := range batch {
			for k := range channels {
				z := torch.FromSlice(s, []float64{variance[k] + 1e-5}, 1)
				root := s.Item(s.Tensor("aten::sqrt", z))
				want[(step*batch+i)*channels+k] = float32((rows[i][k] - mean[k]) / root)
			}
		}
		for k := range channels {
			runningMean[k] = 0.9*runningMean[k] + 0.1*mean[k]
			runningVariance[k] = 0.9*runningVariance[k] + 0.1*variance[k]*batch/(batch-1)
		}
	}
	have := n.forward(Pass{Scope: s, Mode: torch.Train}, x)
	require.NoError(t, s.Err())
	requireClose(t, torch.FromSlice(s, want, steps*batch, channels), have, "normalised")
	assert.InDeltaSlice(t, runningMean, float64s(read(t, n.Mean)), 1e-6)
	assert.InDeltaSlice(t, runningVariance, float64s(read(t, n.Variance)), 1e-6)

	// Evaluation uses the running statistics for all steps and leaves them.
	before := read(t, n.Mean)
	evaluated := n.forward(Pass{Scope: s, Mode: torch.Evaluate}, x)
	require.NoError(t, s.Err())
	for i, z := range read(t, evaluated) {
		k := i % channels
		d := s.Item(s.Tensor("aten::rsqrt", torch.FromSlice(s, []float64{runningVariance[k] + 1e-5}, 1)))
		assert.InDelta(t, (float64(values[i])-runningMean[k])*d, float64(z), 1e-5)
	}
	assert.Equal(t, before, read(t, n.Mean))
}

// Folded time shares the statistics of all steps.
func TestFoldedNormSharesStatistics(t *testing.T) {
	s := begin(t, 3)
	o := tinyOptions(0)
	v := torch.NewVariables(torch.CPU())
	defer v.Close()
	n := newNorm(v.Root(), 1, &o)
	x := torch.FromSlice(s, []float32{0, 0, 2, 2, 7, 7}, 6, 1) // steps differ, a step does not
	have := read(t, n.forward(Pass{Scope: s, Mode: torch.Train}, x))
	require.NoError(t, s.Err())
	assert.InDelta(t, -1.0190, have[0], 1e-3) // mean 3, deviation 2.9439
	assert.InDelta(t, 1.3587, have[5], 1e-3)
	assert.InDelta(t, 0.3, float64(read(t, n.Mean)[0]), 1e-6)
}
