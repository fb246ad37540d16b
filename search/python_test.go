package search

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/export"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/pytorch"
)

const pythonScript = `
import json, sys, torch
results = {}
for name in sys.argv[1:]:
    shape = json.load(open(name + ".json"))
    model = torch.jit.load(name + ".pt")
    images = torch.frombuffer(bytearray(open(name + ".bin", "rb").read()), dtype=torch.float32).reshape(shape)
    with torch.no_grad():
        results[name] = model(images).reshape(-1).tolist()
print(json.dumps(results))
`

// PyTorch computes the same logits from the exported archive.
func TestPyTorchAgrees(t *testing.T) {
	dir := t.TempDir()
	s := begin(t, 60)
	var names []string
	want := map[string][]float32{}
	for i, v := range variants(t) {
		if i%3 != 0 { // 3 has no common factor with the numbers of choices
			continue
		}
		name := strconv.Itoa(i)
		p := v.program(t, v.trained(t, s))
		images := v.images(s, 3)
		require.NoError(t, export.TorchScript(p, nil).Save(filepath.Join(dir, name+".pt")))
		want[name] = read(t, p.Run(s, images))
		saveImages(t, s, filepath.Join(dir, name), images)
		names = append(names, name)
	}
	require.NoError(t, s.Err())
	var have map[string][]float32
	pytorch.Run(t, dir, pythonScript, &have, names...)
	require.Len(t, have, len(want))
	for name := range want {
		assert.InDeltaSlice(t, want[name], have[name], 1e-4, variants(t)[atoi(t, name)])
	}
}

// PyTorch computes the same logits from an archive whose input has time.
func TestPyTorchAgreesOnTemporalInput(t *testing.T) {
	dir := t.TempDir()
	s := begin(t, 880)
	v := temporalVariants(t)[0]
	_, p := v.temporalProgram(t, s)
	x := v.binaryStacks(s, 3)
	require.NoError(t, export.TorchScript(p, nil).Save(filepath.Join(dir, "m.pt")))
	saveImages(t, s, filepath.Join(dir, "m"), x)
	var have map[string][]float32
	pytorch.Run(t, dir, pythonScript, &have, "m")
	assert.InDeltaSlice(t, read(t, p.Run(s, x)), have["m"], 1e-5)
}

// saveImages writes the input of a network and its shape for [pythonScript].
func saveImages(t *testing.T, s *torch.Scope, path string, images torch.Tensor) {
	t.Helper()
	shape, err := json.Marshal(s.Shape(images))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path+".json", shape, 0o644))
	pytorch.Save(t, path+".bin", read(t, images)...)
}

func atoi(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}
