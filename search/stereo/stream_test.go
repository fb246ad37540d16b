package stereo

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/torchtest"
)

// A stream gives what a window over the whole past gives, however it is cut into
// pieces, and a reset starts anew.
func TestStreamEqualsWindow(t *testing.T) {
	for _, mixing := range []search.Mixing{search.MixMembrane, search.MixSpike} {
		s := begin(t, 30)
		o := tiny()
		o.Steps, o.Mixing = 4, mixing
		n := newNetwork(t, o)
		unsettle(t, s, n.Variables())
		left, right := stacks(t, s, 4*2, 42, 54) // N = 2
		c := s.WithoutGradient()
		window := read(t, n.Forward(search.Pass{Scope: c}, left, right))
		size := len(window) / 4
		for i := 1; i < 4; i++ {
			assert.NotEqual(t, window[:size], window[i*size:(i+1)*size], "steps differ")
		}
		var membranes search.Membranes
		for _, pieces := range [][]int{{1, 1, 1, 1}, {2, 1, 1}, {4}} {
			at := 0
			for _, steps := range pieces {
				membranes.Steps = steps
				p := search.Pass{Scope: c, Membranes: &membranes}
				cost := n.Forward(p, c.Narrow(left, 0, 2*at, 2*steps), c.Narrow(right, 0, 2*at, 2*steps))
				assert.InDeltaSlice(t, window[at*size:(at+steps)*size], read(t, cost), 1e-6)
				at += steps
			}
			membranes.Reset()
		}
		assert.Zero(t, membranes.Layers())

		// The memory of the past matters: a step from rest differs.
		membranes.Steps = 0 // one
		rest := read(t, n.Forward(search.Pass{Scope: c, Membranes: &membranes},
			c.Narrow(left, 0, 6, 2), c.Narrow(right, 0, 6, 2)))
		assert.NotEqual(t, window[3*size:], rest)
		membranes.Reset()
		require.NoError(t, c.Close())
	}
}

// Streaming keeps one membrane a layer and no more.
func TestStreamMemoryIsFlat(t *testing.T) {
	s := begin(t, 31)
	n := newNetwork(t, tiny())
	left, right := stacks(t, s, 1, 42, 54)
	var membranes search.Membranes
	defer membranes.Reset()
	torchtest.Flat(t, 20, func() {
		c := torch.NewInference()
		n.Forward(search.Pass{Scope: c, Membranes: &membranes}, left, right)
		require.NoError(t, c.Close())
	})
	assert.Positive(t, membranes.Layers())
}
