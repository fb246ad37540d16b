package graph

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/live"
)

func TestMain(m *testing.M) {
	if err := torch.SetThreads(1); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// begin seeds libtorch and checks at the end of the test that no tensor is left.
func begin(t *testing.T, seed uint64) *torch.Scope {
	t.Helper()
	t.Cleanup(torch.Pin()) // gradients are to be the same to the bit
	require.NoError(t, torch.Seed(seed))
	live.Same(t, torch.LiveTensors)
	s := torch.NewScope()
	t.Cleanup(func() {
		require.NoError(t, s.Close())
	})
	return s
}

func read(t testing.TB, s *torch.Scope, x torch.Tensor) []float64 {
	t.Helper()
	values, err := torch.ToSlice[float64](s.Cast(x, torch.Float64))
	require.NoError(t, s.Err())
	require.NoError(t, err)
	return values
}
