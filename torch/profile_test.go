//go:build tensorprofile

package torch

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheProfileShowsWhereATensorWasMade(t *testing.T) {
	before := LiveTensorProfile.Count()
	s := NewScope()
	s.Zeros(CPU(), 2)
	assert.Equal(t, before+1, LiveTensorProfile.Count())
	var text bytes.Buffer
	require.NoError(t, LiveTensorProfile.WriteTo(&text, 1))
	assert.Contains(t, text.String(), "TestTheProfileShowsWhereATensorWasMade")
	require.NoError(t, s.Close())
	assert.Equal(t, before, LiveTensorProfile.Count())
}
