package search

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/export"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/pytorch"
)

// scripted is a program that went through an archive of TorchScript with the given files.
func scripted(t *testing.T, p *graph.Program, files map[string]string) (script *torch.ScriptModule, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "model.pt")
	require.NoError(t, export.TorchScript(p, files).Save(path), export.Source(p))
	script, err := torch.LoadScript(path, torch.CPU())
	require.NoError(t, err)
	return script, path
}

// named finds a program's constants.
func named(p *graph.Program) func(*torch.Scope, string) torch.Tensor {
	return func(s *torch.Scope, name string) torch.Tensor {
		for _, t := range p.Constants() {
			if t.Name == name {
				return s.Clone(t.Value)
			}
		}
		return s.Tensor("aten::no_such_tensor")
	}
}

// A program that went through its description is the same program.
func TestProgramFromItsDescription(t *testing.T) {
	for i, v := range variants(t) {
		t.Run(v.String(), func(t *testing.T) {
			s := begin(t, uint64(350+i))
			p := v.program(t, v.trained(t, s))
			text, err := p.Description()
			require.NoError(t, err)
			q, err := graph.Load(text, named(p))
			require.NoError(t, err)
			defer q.Close()
			assert.Equal(t, export.Source(p), export.Source(q))
			x := v.images(s, 3)
			assert.Equal(t, read(t, p.Run(s, x)), read(t, q.Run(s, x)))
			assert.Equal(t, read(t, p.RunFast(s, x)), read(t, q.RunFast(s, x)))
			require.NoError(t, s.Err())
		})
	}
}

func TestDescriptionsThatAreNoProgram(t *testing.T) {
	s := begin(t, 390)
	v := variants(t)[0]
	p := v.program(t, v.trained(t, s))
	good, err := p.Description()
	require.NoError(t, err)
	for message, bad := range map[string]string{
		"invalid character":                     "x" + good,
		"format 7":                              strings.Replace(good, `"format": 1`, `"format": 7`, 1),
		"0 steps":                               strings.Replace(good, `"steps": 3`, `"steps": 0`, 1),
		`instruction 2, "swim": not known`:      strings.Replace(good, `"op": "repeat"`, `"op": "swim"`, 1),
		`"prepare": reads 1 values`:             strings.Replace(good, `"mean",`, ``, 1),
		"no_such_tensor":                        strings.Replace(good, `"stem_weight"`, `"stem_wait"`, 1),
		`instruction 0, "prepare": reads value`: strings.Replace(good, "-1\n", "5\n", 1),
	} {
		require.NotEqual(t, good, bad, message)
		_, err := graph.Load(bad, named(p))
		assert.ErrorIs(t, err, graph.ErrDescription)
		assert.ErrorContains(t, err, message)
	}
}

// Convolutions in bfloat16: nearly all first guesses are those of float32, and
// the logits are another network's by no more than some spikes.
func TestHalfPrecisionIsClose(t *testing.T) {
	same, images := 0, 0
	for i, v := range variants(t) {
		if v.options.Head == HeadLIF {
			continue // a spike of the head is a third of a logit
		}
		s := begin(t, uint64(400+i))
		p := v.program(t, v.trained(t, s))
		x := v.images(s, 8)
		want, have := read(t, p.RunFast(s, x)), read(t, p.Runner(torch.BFloat16)(s, x))
		require.NoError(t, s.Err())
		assert.NotEqual(t, want, have, "it is another precision")
		a, b := classesOf(want, 3), classesOf(have, 3)
		for k := range a {
			images++
			if a[k] == b[k] {
				same++
			}
		}
	}
	assert.GreaterOrEqual(t, float64(same), 0.85*float64(images), "of %d", images)
}

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
