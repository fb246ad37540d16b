package torch

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadCUDAVersions(t *testing.T) {
	assert.Equal(t, "12.8", runtimeVersion(12080).String())
	assert.Equal(t, CUDAVersion{11, 8}, runtimeVersion(11080))
	assert.Zero(t, runtimeVersion(0))
	assert.Equal(t, "8.9.2", cudnnVersion(8902))
	assert.Equal(t, "9.7.1", cudnnVersion(90701))
	assert.Equal(t, "9.10.2", cudnnVersion(91002))
	assert.Empty(t, cudnnVersion(0))
}

// Asking needs neither a device nor CUDA, and says what is missing.
func TestFindCUDA(t *testing.T) {
	v, err := FindCUDA()
	require.NoError(t, err)
	assert.Equal(t, v.NVRTC != CUDAVersion{}, v.NVRTCPath != "")
	if CUDADevices() > 0 {
		assert.Positive(t, v.Runtime.Major)
		assert.Positive(t, v.Driver.Major)
		assert.Empty(t, v.DriverError)
	}
	if v.Driver.Major == 0 {
		assert.Contains(t, v.DriverError, "no NVIDIA driver")
	}
	_, err = DeviceModel(CPU())
	assert.ErrorContains(t, err, "cpu: not a CUDA device")
}

func TestKernelCache(t *testing.T) {
	t.Setenv("SPIKEDHS_CACHE", "/somewhere")
	assert.Equal(t, "/somewhere/kernels", KernelCache())
}

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
