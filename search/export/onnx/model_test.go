package onnx

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/export/onnxruntime"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
)

// small is a convolution, neurons of two steps and a classifier.
func small(t *testing.T) *graph.Program {
	t.Helper()
	require.NoError(t, torch.Seed(1))
	p := graph.New(graph.Spec{Steps: 2, Neuron: spike.LIF{Tau: 0.2, Threshold: 0.5}, Inputs: []string{"images"}})
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	s := p.Scope()
	constant := func(name string, shape ...int64) int { return p.Constant(name, s.Randn(torch.CPU(), shape...)) }
	x := p.Add(graph.Conv{X: graph.Input(0), Weight: constant("conv.weight", 4, 1, 3, 3), Bias: constant("conv.bias", 4), Stride: 1, Pad: 1})
	x = p.Fire("neurons", p.Add(graph.Repeat{X: x}))
	p.Add(graph.Classify{X: p.Add(graph.Pool{X: x}), Weight: constant("head.weight", 3, 4), Bias: constant("head.bias", 3), Classes: 3})
	return p
}

// Above the largest size of a file the weights lie beside it, and are found there.
func TestWeightsBesideTheModel(t *testing.T) {
	p := small(t)
	m, err := Network(p, nil)
	require.NoError(t, err)
	dir := t.TempDir()
	within, beside := filepath.Join(dir, "within.onnx"), filepath.Join(dir, "beside.onnx")
	require.NoError(t, m.Save(within))
	require.NoError(t, m.save(beside, 0))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 3, "nothing but the models and the weights")
	info, err := os.Stat(beside + ".data")
	require.NoError(t, err)
	assert.EqualValues(t, 4*(4*9+4+3*4+3), info.Size())

	if _, err := onnxruntime.Version(); err != nil {
		t.Skip(err)
	}
	s := torch.NewInference()
	defer s.Close()
	images := s.Randn(torch.CPU(), 2, 1, 5, 6)
	want, err := torch.ToSlice[float32](p.Run(s, images))
	require.NoError(t, err)
	pixels, err := torch.ToSlice[float32](images)
	require.NoError(t, err)
	for _, path := range []string{within, beside} {
		session, err := onnxruntime.Open(path, 1)
		require.NoError(t, err)
		out, err := session.Run(onnxruntime.Tensor{Shape: []int64{2, 1, 5, 6}, Values: pixels})
		require.NoError(t, err)
		assert.InDeltaSlice(t, want, out[0].Values, 1e-5)
		require.NoError(t, session.Close())
	}
}

func TestAModelThatCannotBeWritten(t *testing.T) {
	m, err := Network(small(t), nil)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "no", "such", "model.onnx")
	assert.ErrorContains(t, m.Save(path), path)
}

// Examples of the encoding's documentation, and the numbers of ONNX's fields.
func TestWire(t *testing.T) {
	var m message
	m.number(1, 150)
	assert.Equal(t, message{0x08, 0x96, 0x01}, m)
	m = nil
	m.text(2, "testing")
	assert.Equal(t, append(message{0x12, 7}, "testing"...), m)
	m = nil
	m.number(1, -1)
	assert.Equal(t, message{0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, m)
	m = nil
	m.float(4, 1.5)
	assert.Equal(t, message{4<<3 | 5, 0, 0, 0xc0, 0x3f}, m)
	m = nil
	m.pair(3, "a", "b")
	assert.Equal(t, message{3<<3 | 2, 6, 1<<3 | 2, 1, 'a', 2<<3 | 2, 1, 'b'}, m)
	assert.EqualValues(t, 0x3fc00000, math.Float32bits(1.5))
}
