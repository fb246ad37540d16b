package torch

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseDevice(t *testing.T) {
	d, err := ParseDevice("cpu")
	require.NoError(t, err)
	assert.Equal(t, "cpu", DeviceName(d))
	assert.False(t, IsCUDA(d))
	assert.Equal(t, "cpu", DeviceName(Device{}))
	s := NewScope()
	defer s.Close()
	assert.Equal(t, "cpu", DeviceName(s.Device(s.Zeros(d, 1))))
	require.NoError(t, s.Err())
	s.Device(Tensor{})
	assert.ErrorIs(t, s.Err(), ErrClosed)
	for _, name := range []string{"", "gpu", "CPU", "cpu:0", "cuda:", "cuda:-1", "cuda:x", "cuda:1000", " cpu", "mps"} {
		_, err := ParseDevice(name)
		assert.ErrorContains(t, err, "want auto, cpu, cuda or cuda:N", "%q", name)
	}
}

func TestDevicesWithoutCUDA(t *testing.T) {
	reason := CUDAMissing()
	if reason == "" {
		t.Skip("this machine has a CUDA device")
	}
	assert.Zero(t, CUDADevices())
	d, err := ParseDevice("auto")
	require.NoError(t, err)
	assert.Equal(t, "cpu", DeviceName(d))
	for _, name := range []string{"cuda", "cuda:0", "cuda:3"} {
		_, err := ParseDevice(name)
		assert.EqualError(t, err, "torch: device "+name+": "+reason+"; use --device cpu")
	}
	assert.NoError(t, Synchronize(CPU()))
}

func TestDevicesWithCUDA(t *testing.T) {
	if reason := CUDAMissing(); reason != "" {
		t.Skip("no CUDA device: " + reason)
	}
	s := NewScope()
	defer s.Close()
	for _, name := range []string{"auto", "cuda", "cuda:0"} {
		d, err := ParseDevice(name)
		require.NoError(t, err)
		assert.True(t, IsCUDA(d))
		assert.Equal(t, "cuda:0", DeviceName(d))
		x := s.To(vector(1, 2).tensor(s), d)
		assertClose(t, vector(2, 4), s.Add(x, x), 0)
		assert.Equal(t, "cuda:0", DeviceName(s.Device(x)))
		assert.NoError(t, Synchronize(d))
	}
	_, err := ParseDevice("cuda:999")
	assert.ErrorContains(t, err, "numbered from 0")
}
