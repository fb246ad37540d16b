package doctor

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// The spikes of the trial do not hang on rounding, and some neurons fire, some not.
func TestTrialCurrents(t *testing.T) {
	currents := trialCurrents()
	size := len(currents) / trialSteps
	spikes := 0
	for neuron := range size {
		membrane := 0.0
		for step := range trialSteps {
			membrane = 0.2*membrane + float64(currents[step*size+neuron])
			require.GreaterOrEqual(t, math.Abs(membrane-0.5), 0.01-1e-6)
			if membrane > 0.5 {
				membrane = 0
				spikes++
			}
		}
	}
	assert.Greater(t, spikes, len(currents)/10)
	assert.Less(t, spikes, len(currents)*9/10)
}

func TestTrials(t *testing.T) {
	require.NoError(t, tryNeurons(torch.CPU()))
	require.NoError(t, tryConvolution(torch.CPU()))
	nan := float32(math.NaN())
	assert.NoError(t, differences([]float32{100, 0}, []float32{100.001, 0}, "values"))
	assert.ErrorContains(t, differences([]float32{1, nan, 0}, []float32{0, 0, 0}, "spikes"), "2 of 3 spikes are not")
	assert.ErrorContains(t, differences(nil, []float32{0}, "values"), "0 values instead of 1")
}
