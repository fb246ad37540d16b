package spike

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// The composed neuron takes currents in float16 and keeps its membranes in float32:
// the spikes are those of the same currents in float32, and the gradients are theirs,
// rounded.
func TestComposedNeuronInFloat16(t *testing.T) {
	s := torch.NewScope()
	defer s.Close()
	require.NoError(t, torch.Seed(31))
	const steps = 6
	rounded := s.Detach(s.Cast(s.Randn(torch.CPU(), steps*3, 5, 4, 4), torch.Float16))
	weight := s.Detach(s.Cast(s.Randn(torch.CPU(), steps*3, 5, 4, 4), torch.Float16))
	temperature := s.Full(torch.CPU(), 3, 1)
	run := func(dtype int8) (spikes, gradient []float64) {
		u := s.Detach(s.Cast(rounded, dtype))
		require.NoError(t, torch.RequireGradient(u, true))
		y := s.Tensor("spikedhs::lif_composed", u, temperature, 0.2, 0.5, steps)
		kind, err := torch.Dtype(y)
		require.NoError(t, err)
		assert.Equal(t, dtype, kind)
		loss := s.Sum(s.Mul(s.Cast(y, torch.Float32), s.Cast(weight, torch.Float32)))
		g := s.GradientOf(loss, []torch.Tensor{u})[0]
		require.NoError(t, s.Err())
		return read(t, s.Cast(y, torch.Float32)), read(t, s.Cast(s.Cast(g, torch.Float16), torch.Float32))
	}
	wantSpikes, wantGradient := run(torch.Float32)
	spikes, gradient := run(torch.Float16)
	assert.Equal(t, wantSpikes, spikes)
	assert.Contains(t, spikes, 1.0)
	assert.Equal(t, wantGradient, gradient)
}
