package train

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/export/onnxruntime"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// An ONNX model says of the same pictures what the archive says, and of itself what it was.
func TestONNXModelAgrees(t *testing.T) {
	b := newBench(t)
	trained, archive := b.exported(t)
	path := b.path("model.onnx")
	require.NoError(t, trained.Network.Export(path, "v9", trained.Score))
	if _, err := onnxruntime.Version(); err != nil {
		t.Skip(err)
	}
	a := check(t, trained, path, testCount)
	assert.Equal(t, testCount, a.Images)
	assert.GreaterOrEqual(t, a.SameClass, testCount*999/1000)

	of := map[string]*classify.Model{}
	for _, file := range []string{archive, path} {
		m, err := classify.LoadModel(file, torch.CPU())
		require.NoError(t, err)
		defer m.Close()
		of[file] = m
	}
	assert.Equal(t, of[archive].Info, of[path].Info)
	list := pixels(testPictures()[:7])
	want, err := of[archive].Classify(list)
	require.NoError(t, err)
	have, err := of[path].Classify(list)
	require.NoError(t, err)
	for i := range want {
		assert.Equal(t, want[i][0].Class, have[i][0].Class)
		assert.InDelta(t, want[i][0].Probability, have[i][0].Probability, 1e-4)
	}
}
