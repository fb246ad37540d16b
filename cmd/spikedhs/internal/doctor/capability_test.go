package doctor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
