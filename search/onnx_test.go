package search

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/export/onnx"
	"github.com/spikedhs/spikedhs/search/export/onnxruntime"
	"github.com/spikedhs/spikedhs/torch/pytorch"
)

const onnxScript = `
import json, sys, numpy, onnx, onnxruntime
results = {}
for name in sys.argv[1:]:
    shape = json.load(open(name + ".json"))
    onnx.checker.check_model(name + ".onnx", full_check=True)
    session = onnxruntime.InferenceSession(name + ".onnx", providers=["CPUExecutionProvider"])
    images = numpy.fromfile(name + ".bin", numpy.float32).reshape(shape)
    results[name] = [float(x) for x in session.run(None, {session.get_inputs()[0].name: images})[0].reshape(-1)]
print(json.dumps(results))
`

// ONNX Runtime computes the same logits from the written model.
func TestONNXRuntimeAgrees(t *testing.T) {
	interpreter := pytorch.With(t, "onnx", "onnxruntime")
	dir := t.TempDir()
	s := begin(t, 61)
	arguments := []string{"-c", onnxScript}
	want := map[string][]float32{}
	list := variants(t)
	for i, v := range list {
		name := strconv.Itoa(i)
		p := v.program(t, v.trained(t, s))
		images := v.images(s, 3)
		m, err := onnx.Network(p, map[string]string{"note": "of a test"})
		require.NoError(t, err)
		require.NoError(t, m.Save(filepath.Join(dir, name+".onnx")))
		want[name] = read(t, p.Run(s, images))
		shape, err := json.Marshal(s.Shape(images))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".json"), shape, 0o644))
		pixels, err := binary.Append(nil, binary.LittleEndian, read(t, images))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".bin"), pixels, 0o644))
		arguments = append(arguments, name)
	}
	require.NoError(t, s.Err())
	c := exec.Command(interpreter, arguments...)
	c.Dir, c.Stderr = dir, os.Stderr
	text, err := c.Output()
	require.NoError(t, err)
	var have map[string][]float32
	require.NoError(t, json.Unmarshal(text, &have), string(text))
	require.Len(t, have, len(want))
	for name := range want {
		largest := 1.0
		for _, x := range want[name] {
			largest = max(largest, math.Abs(float64(x)))
		}
		assert.InDeltaSlice(t, want[name], have[name], 1e-5*largest, list[atoi(t, name)])
	}
}

// ONNX Runtime within this program computes the same, and reads the notes.
func TestONNXRuntimeInThisProgram(t *testing.T) {
	if _, err := onnxruntime.Version(); err != nil {
		t.Skip(err)
	}
	s := begin(t, 62)
	v := variants(t)[0]
	p := v.program(t, v.trained(t, s))
	m, err := onnx.Network(p, map[string]string{"note": "of a test"})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "model.onnx")
	require.NoError(t, m.Save(path))
	session, err := onnxruntime.Open(path, 1)
	require.NoError(t, err)
	defer func() { require.NoError(t, session.Close()) }()
	assert.Equal(t, []onnxruntime.Info{{Name: "images", Shape: []int64{-1, 2, -1, -1}}}, session.Inputs)
	note, found, err := session.Metadata("note")
	require.NoError(t, err)
	assert.True(t, found)
	assert.Equal(t, "of a test", note)
	_, found, err = session.Metadata("no note")
	require.NoError(t, err)
	assert.False(t, found)
	for _, batch := range []int64{1, 4} {
		images := v.images(s, batch)
		out, err := session.Run(onnxruntime.Tensor{Shape: s.Shape(images), Values: read(t, images)})
		require.NoError(t, err)
		assert.Equal(t, []int64{batch, 3}, out[0].Shape)
		assert.InDeltaSlice(t, read(t, p.Run(s, images)), out[0].Values, 1e-4)
	}
	_, err = session.Run()
	assert.ErrorContains(t, err, "0 inputs; it takes 1")
	_, err = session.Run(onnxruntime.Tensor{Shape: []int64{1, 3, 8, 8}, Values: make([]float32, 3*8*8)})
	assert.ErrorContains(t, err, path)
	require.NoError(t, os.WriteFile(path, []byte("no model"), 0o644))
	_, err = onnxruntime.Open(path, 1)
	assert.ErrorContains(t, err, path)
}
