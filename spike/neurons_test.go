package spike

import (
	"math/rand"
	"testing"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNeuronsKeepTheirTemperaturesAsABuffer(t *testing.T) {
	assertLive(t)
	v := torch.NewVariables(torch.CPU())
	defer v.Close()
	layer := NewNeurons(v.Root().At("cells", 0).Sub("lif"), Default(), 1, 3, 5)
	require.NoError(t, v.Err())
	require.Len(t, v.All(), 1)
	assert.Equal(t, "cells.0.lif.temperature", v.All()[0].Name)
	assert.Empty(t, v.Parameters())
	assert.Equal(t, []float64{1, 3, 5}, read(t, layer.Temperature))

	s := torch.NewScope()
	defer s.Close()
	p := newProblem(rand.New(rand.NewSource(1)), Default(), 2, []int64{4, 3, 2, 2}, []float64{1, 3, 5}, false, toFloat32)
	current := tensor(s, p.current, torch.Float32, p.shape...)
	require.NoError(t, torch.RequireGradient(current, true))
	y := layer.Forward(s, current, 2)
	assert.Equal(t, p.spikes, read(t, y))
	loss := s.Sum(s.Mul(y, tensor(s, p.weight, torch.Float32, p.shape...)))
	requireClose(t, p.gradient, read(t, s.GradientOf(loss, []torch.Tensor{current})[0]), 1e-5, "gradient")

	layer.Forward(s, current, 3)
	assert.ErrorContains(t, s.Err(), "cells.0.lif: torch: spikedhs::lif:")
}
