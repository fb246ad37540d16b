package stereo

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/export/onnx"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/pytorch"
)

const onnxScript = `
import json, numpy, onnx, onnxruntime
shapes = json.load(open("shapes.json"))
onnx.checker.check_model("step.onnx", full_check=True)
session = onnxruntime.InferenceSession("step.onnx", providers=["CPUExecutionProvider"])
views = {name: numpy.fromfile(name + ".bin", numpy.float32).reshape(shapes[name]) for name in ("left", "right")}
state = {name: numpy.zeros(shape, numpy.float32) for name, shape in shapes.items() if name not in views}
outputs = [o.name for o in session.get_outputs()]
disparities = []
for t in range(shapes["left"][0]):
    feed = {name: view[t] for name, view in views.items()}
    result = dict(zip(outputs, session.run(None, {**feed, **state})))
    disparities += [float(x) for x in result.pop("disparity").reshape(-1)]
    state = {name.replace("next_", "state_", 1): value for name, value in result.items()}
print(json.dumps(disparities))
`

// Twenty steps of a stream in ONNX Runtime, from its own membranes, give the disparities
// of the program.
func TestONNXStepAgrees(t *testing.T) {
	interpreter := pytorch.With(t, "onnx", "onnxruntime")
	for name, mixing := range map[string]search.Mixing{"membrane": search.MixMembrane, "spike": search.MixSpike} {
		t.Run(name, func(t *testing.T) { streamInONNX(t, interpreter, mixing) })
	}
}

func streamInONNX(t *testing.T, interpreter string, mixing search.Mixing) {
	const steps, batch, height, width = 20, 2, 40, 53
	dir := t.TempDir()
	s := begin(t, 33)
	o := tiny()
	o.Mixing = mixing
	n := newNetwork(t, o)
	unsettle(t, s, n.Variables())
	p, err := n.Program()
	require.NoError(t, err)
	defer p.Close()
	m, err := onnx.Step(p.Program, nil)
	require.NoError(t, err)
	require.NoError(t, m.Save(filepath.Join(dir, "step.onnx")))

	left, right := stacks(t, s, steps*batch, height, width)
	c := s.WithoutGradient()
	want := read(t, p.Disparity(c, left, right, steps, nil, search.Float32))
	channels := c.Shape(left)[1]
	shapes := map[string][]int64{
		"left": {steps, batch, channels, height, width}, "right": {steps, batch, channels, height, width},
	}
	states := onnx.State(p.Program, batch, height, width)
	for i, l := range p.Program.Layers() {
		shapes["state_"+graph.Attribute(l.Name)] = states[i]
	}
	text, err := json.Marshal(shapes)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "shapes.json"), text, 0o644))
	for name, view := range map[string]torch.Tensor{"left": left, "right": right} {
		values, err := torch.ToSlice[float32](view)
		require.NoError(t, err)
		bytes, err := binary.Append(nil, binary.LittleEndian, values)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".bin"), bytes, 0o644))
	}
	require.NoError(t, c.Close())

	command := exec.Command(interpreter, "-c", onnxScript)
	command.Dir, command.Stderr = dir, os.Stderr
	output, err := command.Output()
	require.NoError(t, err)
	var have []float64
	require.NoError(t, json.Unmarshal(output, &have))
	require.Len(t, have, len(want))
	// Where the order of additions makes a membrane pass its threshold or not, a pixel differs.
	different := 0
	for i := range want {
		if d := want[i] - have[i]; d > 1e-3 || d < -1e-3 {
			different++
		}
	}
	assert.LessOrEqual(t, different, len(want)/200, "of %d disparities", len(want))
	assert.NotEqual(t, want[:len(want)/steps], want[len(want)-len(want)/steps:])
}
