// Package torchtest begins, reads and ends tests of what computes with tensors.
package torchtest

import (
	"os"
	"strings"
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

// Flat repeats a step and checks that from the first time on as many tensors are alive.
func Flat(t testing.TB, times int, step func()) {
	t.Helper()
	step()
	live := torch.LiveTensors()
	for range times {
		step()
		require.Equal(t, live, torch.LiveTensors())
	}
}

// Unsettle gives normalisations running statistics and parameters that are not their
// start values, so that a mistake with them shows.
func Unsettle(t testing.TB, s *torch.Scope, v *torch.Variables) {
	t.Helper()
	c := s.WithoutGradient()
	defer c.Close()
	for _, x := range v.All() {
		noise := c.Randn(torch.CPU(), c.Shape(x.Value)...)
		_, kind, _ := strings.Cut(x.Name, "norm.")
		switch kind {
		case "weight":
			c.CopyTo(x.Value, c.Tensor("aten::add.Scalar", c.Scale(c.Tensor("aten::abs", noise), 0.5), 0.7))
		case "running_var":
			c.CopyTo(x.Value, c.Tensor("aten::add.Scalar", c.Scale(c.Tensor("aten::abs", noise), 0.1), 0.05))
		case "running_mean":
			c.CopyTo(x.Value, c.Scale(noise, 0.1))
		case "bias":
			c.CopyTo(x.Value, c.Tensor("aten::add.Scalar", c.Scale(noise, 0.2), 0.25))
		}
	}
	require.NoError(t, c.Err())
}
