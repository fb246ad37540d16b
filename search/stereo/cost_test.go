package stereo

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The figures for a full frame, in units of 10 M.
func TestMACs(t *testing.T) {
	begin(t, 50)
	w := newNetwork(t, Options{Stems: StemsL}).MACs(260, 346)
	assert.InDelta(t, 2*0.30e9, float64(w.Feature), 0.01e9)
	assert.InDelta(t, 18.86e9, float64(w.Matching), 0.01e9)
	assert.InDelta(t, 19.46e9, float64(w.Total()), 0.01e9)
	deep := Grids(21, 260, 346)
	assert.InDelta(t, 6.67e9, float64(convolutions(48, 24, 3, deep[0])), 0.01e9)
	assert.InDelta(t, 3.33e9, float64(convolutions(24, 24, 3, deep[0])), 0.01e9)
}
