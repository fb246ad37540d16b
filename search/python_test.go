package search

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/export"
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
	interpreter := pytorch.Interpreter(t)
	s := begin(t, 60)
	arguments := []string{"-c", pythonScript}
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
	c.Dir = dir
	c.Env = append(os.Environ(), "OMP_NUM_THREADS=1")
	text, err := c.Output()
	require.NoError(t, err)
	var have map[string][]float32
	require.NoError(t, json.Unmarshal(text, &have), string(text))
	require.Len(t, have, len(want))
	for name := range want {
		assert.InDeltaSlice(t, want[name], have[name], 1e-4, variants(t)[atoi(t, name)])
	}
}

func atoi(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}
