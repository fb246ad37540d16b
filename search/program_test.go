package search

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
)

func TestProgramScriptAndNetworkAgree(t *testing.T) {
	require.NoError(t, torch.Seed(3))
	o := paperOptions()
	o.Width, o.Steps = 4, 3
	for _, mixing := range []Mixing{MixMembrane, MixSpike} {
		o.Mixing = mixing
		g, err := genotype.Preset("spikedhs-cla-n3")
		require.NoError(t, err)
		n, err := NewNetwork(torch.CPU(), g, o)
		require.NoError(t, err)
		defer n.Close()
		in := Input{Height: 28, Width: 28, Pad: 2, Mean: []float64{.5, .4, .3}, Deviation: []float64{.2, .3, .4}}
		s := torch.NewInference()
		defer s.Close()
		for range 5 { // running statistics away from their start
			n.Forward(Pass{s, torch.Train}, s.Randn(torch.CPU(), 8, 3, 32, 32))
		}
		require.NoError(t, s.Err())
		p, err := n.Program(in)
		require.NoError(t, err)
		defer p.Close()
		images := s.Tensor("aten::rand", []int64{5, 3, 28, 28})
		logits := p.Run(s, images)
		path := filepath.Join(t.TempDir(), "model.pt")
		require.NoError(t, s.Err())
		require.NoError(t, p.Script(map[string]string{"spikedhs.json": "{}"}).Save(path), p.Source())
		m, err := torch.LoadScript(path, torch.CPU())
		require.NoError(t, err)
		defer m.Close()
		scripted := m.Forward(s, images)
		require.NoError(t, s.Err())
		a, err := torch.ToSlice[float32](logits)
		require.NoError(t, err)
		b, err := torch.ToSlice[float32](scripted)
		require.NoError(t, err)
		assert.Equal(t, a, b)
		// The unfolded network in evaluation mode gives nearly the same; single
		// spikes may differ where a membrane is at the threshold.
		normalised := p.list[0].run(&machine{Program: p, scope: s, input: images})
		out := n.Forward(Pass{s, torch.Evaluate}, normalised)
		c, err := torch.ToSlice[float32](out.Logits)
		require.NoError(t, err)
		assert.InDeltaSlice(t, c, a, 0.05)
	}
}
