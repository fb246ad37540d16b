package torch_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/pytorch"
)

const scriptCheck = `
import json, sys, torch
files = {"spikedhs.json": ""}
model = torch.jit.load(sys.argv[1], _extra_files=files)
x = torch.arange(100, dtype=torch.float32).reshape(2, 2, 5, 5) / 64
note = files["spikedhs.json"]
print(json.dumps({
    "output": model(x).flatten().tolist(),
    "frozen": torch.jit.freeze(model)(x).flatten().tolist(),
    "note": note if isinstance(note, str) else note.decode(),
    "training": model.training,
    "buffers": [name for name, _ in model.named_buffers()],
}))
`

// Python loads an archive and computes with it what ATen does.
func TestScriptInPython(t *testing.T) {
	python := pytorch.Interpreter(t)
	s := torch.NewInference()
	defer s.Close()
	v := torch.NewVariables(torch.CPU())
	defer v.Close()
	conv := torch.NewConv2d(v.Root(), 2, 4, torch.ConvOptions{Kernel: 3, Padding: 1})
	require.NoError(t, v.Err())
	path := filepath.Join(t.TempDir(), "model.pt")
	script := torch.Script{
		Class: "Model",
		Source: `
def forward(self, x: Tensor) -> Tensor:
    return torch.relu(torch.conv2d(x, self.weight, self.bias, [1, 1], [1, 1])).mean([2, 3])
`,
		Tensors: v.All(),
		Extra:   map[string]string{"spikedhs.json": `{"version":1}`},
	}
	require.NoError(t, script.Save(path))
	x := s.Scale(s.Reshape(s.Tensor("aten::arange", 2*2*5*5, torch.Named{Name: "dtype", Value: torch.Float32}), 2, 2, 5, 5), 1.0/64)
	output := s.Tensor("aten::mean.dim", s.ReLU(conv.Forward(s, x)), []int64{2, 3})
	require.NoError(t, s.Err())

	command := exec.Command(python, "-c", scriptCheck, path)
	command.Dir = t.TempDir()
	var complaint strings.Builder
	command.Stderr = &complaint
	text, err := command.Output()
	require.NoError(t, err, complaint.String())
	var result struct {
		Output, Frozen []float64
		Note           string
		Training       bool
		Buffers        []string
	}
	require.NoError(t, json.Unmarshal(text, &result))
	want, err := torch.ToSlice[float32](output)
	require.NoError(t, err)
	require.Len(t, result.Output, len(want))
	for i, w := range want {
		assert.InDelta(t, w, result.Output[i], 1e-5)
		assert.InDelta(t, w, result.Frozen[i], 1e-5)
	}
	assert.Equal(t, `{"version":1}`, result.Note)
	assert.False(t, result.Training)
	assert.Equal(t, []string{"weight", "bias"}, result.Buffers)
}
