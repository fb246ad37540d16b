package torch

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRecordNeedsCUDA(t *testing.T) {
	leave, err := OwnStream(CPU())
	require.NoError(t, err)
	graph, err := Record(CPU(), nil, func() error { return errors.New("must not run") })
	assert.ErrorIs(t, err, ErrNoGraph)
	assert.ErrorContains(t, err, "device cpu is not a CUDA device")
	assert.Nil(t, graph)
	graph.Close()
	require.NoError(t, leave())
}

func TestRecordReportsWhatTheWorkSays(t *testing.T) {
	d := cudaDevice(t)
	leave, err := OwnStream(d)
	require.NoError(t, err)
	defer func() { require.NoError(t, leave()) }()
	s := NewScope()
	defer s.Close()
	x := s.Full(d, 1, 4)
	for name, work := range map[string]func() error{
		"an error of its own": func() error { return errors.New("no") },
		"a wait":              func() error { _, err := ToSlice[float32](x); return err },
	} {
		_, err := Record(d, nil, work)
		assert.ErrorIs(t, err, ErrNoGraph, name)
		assertClose(t, vector(2, 2, 2, 2), s.Add(x, x), 0) // and the device works on
	}
	require.NoError(t, s.Err())
}

func TestMemoryAndCapability(t *testing.T) {
	memory, err := DeviceMemory(CPU())
	require.NoError(t, err)
	assert.Zero(t, memory)
	require.NoError(t, ResetPeakMemory(CPU()))
	major, minor := Capability(CPU())
	assert.Zero(t, major+minor)
	d := cudaDevice(t)
	major, _ = Capability(d)
	assert.Positive(t, major)
	require.NoError(t, ResetPeakMemory(d))
	s := NewInference()
	s.Zeros(d, 1<<20)
	require.NoError(t, s.Close())
	memory, err = DeviceMemory(d)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, memory.Peak-memory.Allocated, int64(4<<20))
	assert.Greater(t, memory.Total, memory.Free)
	assert.Positive(t, memory.Free)
}

func TestUploadAndOverwrite(t *testing.T) {
	assertLive(t)
	devices := []Device{CPU()}
	if CUDAMissing() == "" {
		d, err := ParseDevice("cuda")
		require.NoError(t, err)
		devices = append(devices, d)
	}
	for _, d := range devices {
		s := NewInference()
		values := []float32{1, 2, 3, 4, 5, 6}
		x := Upload(s, d, values, 2, 3)
		clear(values)
		assertClose(t, array{[]int64{2, 3}, []float64{1, 2, 3, 4, 5, 6}}, x, 0)
		Overwrite(s, x, []float32{6, 5, 4, 3, 2, 1})
		assertClose(t, array{[]int64{2, 3}, []float64{6, 5, 4, 3, 2, 1}}, x, 0)
		require.NoError(t, s.Err())
		Overwrite(s, x, []float32{1})
		assert.ErrorContains(t, s.Err(), "shape [2 3] needs 6 values, got 1")
		s.Close()
	}
}
