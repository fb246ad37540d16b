package torch

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKernelRulesAreKept(t *testing.T) {
	before, err := Kernels()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, SetKernels(before)) })
	for _, want := range []KernelRules{
		{}, {Benchmark: true}, {ConvolutionTF32: true}, {ProductTF32: true}, {Deterministic: true},
		{Benchmark: true, ConvolutionTF32: true, ProductTF32: true, Deterministic: true},
	} {
		require.NoError(t, SetKernels(want))
		have, err := Kernels()
		require.NoError(t, err)
		assert.Equal(t, want, have)
	}
}

// libtorch says by itself which operators have no deterministic form.
func TestDeterministicRulesRefuse(t *testing.T) {
	before, err := Kernels()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, SetKernels(before)) })
	put := func() error {
		s := NewInference()
		defer s.Close()
		s.Tensor("aten::put_", s.Zeros(CPU(), 4), FromSlice(s, []int64{1}, 1), s.Full(CPU(), 2, 1))
		return s.Err()
	}
	require.NoError(t, SetKernels(KernelRules{}))
	require.NoError(t, put())
	require.NoError(t, SetKernels(KernelRules{Deterministic: true}))
	assert.ErrorContains(t, put(), "does not have a deterministic implementation")
	assert.Equal(t, cublasWorkspace, os.Getenv(cublasVariable))
	t.Setenv(cublasVariable, ":16:8")
	require.NoError(t, SetKernels(KernelRules{Deterministic: true}))
	assert.Equal(t, ":16:8", os.Getenv(cublasVariable))
}
