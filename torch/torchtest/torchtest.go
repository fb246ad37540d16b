// Package torchtest begins, reads and ends tests of what computes with tensors.
package torchtest

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/live"
)

// Main runs the tests of a package on one thread: their networks are too small to share
// among several.
func Main(m *testing.M) {
	if err := torch.SetThreads(1); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// Live checks at the end of the test that as many tensors are alive as now.
func Live(t testing.TB) {
	t.Helper()
	live.Same(t, torch.LiveTensors)
}

// Begin seeds libtorch and checks at the end of the test that no tensor is left. The
// scope that it returns is closed then.
func Begin(t testing.TB, seed uint64) *torch.Scope {
	t.Helper()
	t.Cleanup(torch.Pin()) // gradients are to be the same to the bit
	require.NoError(t, torch.Seed(seed))
	Live(t)
	s := torch.NewScope()
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// Read copies a tensor of any floating type to float64, of E to others.
func Read[E torch.Element](t testing.TB, x torch.Tensor) []E {
	t.Helper()
	s := torch.NewInference()
	defer s.Close()
	if _, wide := any(E(0)).(float64); wide {
		x = s.Cast(x, torch.Float64)
	}
	values, err := torch.ToSlice[E](x)
	require.NoError(t, s.Err())
	require.NoError(t, err)
	return values
}
