package stereo

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/torchtest"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

var begin, read, unsettle = torchtest.Begin, torchtest.Read[float64], torchtest.Unsettle

func published(t testing.TB) genotype.Genotype {
	t.Helper()
	g, err := genotype.Preset(genotype.PresetStereo)
	require.NoError(t, err)
	return g
}

func newNetwork(t testing.TB, o Options) *Network {
	t.Helper()
	n, err := NewNetwork(torch.CPU(), published(t), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return n
}

// tiny is the small size of a network on 2 cores: 11 bins, 7 planes.
func tiny() Options { return Options{Width: 2, MaxDisparity: 21, Steps: 2} }

// stacks draws two views of events, [T*N, 5, H, W] in {-1, 0, 1}.
func stacks(t testing.TB, s *torch.Scope, batch, height, width int64) (left, right torch.Tensor) {
	t.Helper()
	c := s.WithoutGradient()
	defer c.Close()
	draw := func() torch.Tensor {
		x := c.Randn(torch.CPU(), batch, 5, height, width)
		return c.Return(c.Tensor("aten::trunc", c.Tensor("aten::clamp", x, -1.5, 1.5)))
	}
	left, right = draw(), draw()
	require.NoError(t, c.Err())
	return left, right
}

func training(s *torch.Scope) search.Pass { return search.Pass{Scope: s, Mode: torch.Train} }
