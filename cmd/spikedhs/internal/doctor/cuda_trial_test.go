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

func TestMachineCode(t *testing.T) {
	list := codeOf(flags)
	require.Equal(t, []machineCode{
		{capability{7, 5}, false, false}, {capability{8, 0}, false, false}, {capability{9, 0}, false, false},
		{capability{12, 0}, true, false}, {capability{12, 0}, false, false},
	}, list)
	runs := func(c capability) bool {
		for _, code := range list {
			if code.runsOn(c) {
				return true
			}
		}
		return false
	}
	for c, want := range map[capability]bool{
		{7, 0}: false, {7, 5}: true, {8, 0}: true, {8, 6}: true, {8, 9}: true, {9, 0}: true,
		{10, 0}: false, {12, 0}: true, {12, 1}: true, {13, 0}: true, // the last by PTX
	} {
		assert.Equal(t, want, runs(c), c)
	}
	assert.False(t, codeOf("code=sm_90a")[0].runsOn(capability{9, 1}))
	assert.True(t, codeOf("code=sm_90a")[0].runsOn(capability{9, 0}))
	assert.Empty(t, codeOf("PyTorch built with: GCC 12.2"))
}
