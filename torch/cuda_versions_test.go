package torch

import (
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
