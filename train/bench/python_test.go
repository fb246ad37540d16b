package bench

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	scripts "github.com/spikedhs/spikedhs/bench"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/pytorch"
	"github.com/spikedhs/spikedhs/train/task"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// python is the interpreter of the libtorch in use, where there is one.
func python(t *testing.T) *Python {
	t.Helper()
	p, err := FindPython(context.Background(), pytorch.Interpreter(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// model is the network of a case as the check needs it.
type model struct {
	variables []torch.Variable
	forward   func(search.Pass, torch.Tensor) search.Output
	step      func() error
	batch     task.Tensors
}

// both are the variables of all given sets.
func both(sets ...*torch.Variables) (list []torch.Variable) {
	for _, v := range sets {
		list = append(list, v.All()...)
	}
	return list
}

// checked opens our side of a case.
func checked(t *testing.T, c Case) model {
	t.Helper()
	w, err := newWorkload(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.close()) })
	switch w := w.(type) {
	case *learning:
		b := w.on[0]
		switch n := w.model.(type) {
		case *classify.Network:
			return model{both(n.Variables()), n.Forward, w.step, b}
		case *classify.Supernet:
			return model{both(n.Weights(), n.Architecture()), n.Forward, w.step, b}
		}
	}
	t.Fatal("no such workload")
	return model{}
}

// computed are the results of check.py for the weights and images of m.
func computed(t *testing.T, p *Python, c Case, m model) map[string][]float32 {
	t.Helper()
	s := torch.NewInference()
	defer s.Close()
	numbers := map[string][]float32{}
	for name, tensor := range checkedBy(t, p, scripts.Check, s, c, append(slices.Clone(m.variables),
		torch.Variable{Name: "images", Value: m.batch.Inputs[0]}, torch.Variable{Name: "labels", Value: m.batch.Target})) {
		var err error
		numbers[name], err = torch.ToSlice[float32](tensor)
		require.NoError(t, err)
	}
	return numbers
}

// checkedBy is what a script computes of a case from tensors.
func checkedBy(t *testing.T, p *Python, script string, s *torch.Scope, c Case, tensors []torch.Variable) map[string]torch.Tensor {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	f, err := os.Create(in)
	require.NoError(t, err)
	require.NoError(t, torch.WriteSafetensors(f, tensors, nil))
	require.NoError(t, f.Close())
	text, err := json.Marshal(c)
	require.NoError(t, err)
	run := exec.Command(p.Program, filepath.Join(p.Dir, script), string(text), in, out)
	run.Dir = p.Dir
	message, err := run.CombinedOutput()
	require.NoError(t, err, string(message))
	f, err = os.Open(out)
	require.NoError(t, err)
	defer f.Close()
	found, _, err := torch.ReadSafetensors(s, f)
	require.NoError(t, err)
	return found
}

// close32 compares slices relative to the largest value that is expected.
func close32(t *testing.T, want, have []float32, tolerance float64, name string) {
	t.Helper()
	largest := 0.0
	for _, x := range want {
		largest = max(largest, math.Abs(float64(x)))
	}
	assert.InDeltaSlice(t, want, have, tolerance*largest+1e-7, name)
}

// The three implementations compute the same: from one set of weights the same
// logits and gradients, and Python folded the same training step as ours. (Per
// step normalisation sees other batches in training, so its step is another.)
func TestImplementationsAgree(t *testing.T) {
	p := python(t)
	for _, task := range []Task{Train, Search} {
		t.Run(string(task), func(t *testing.T) {
			c := tiny(task)
			c.Steps = 3
			m := checked(t, c)
			before := values(t, m.variables)
			folded := computed(t, p, c.as(PythonFolded), m)
			perStep := computed(t, p, c.as(PythonPerStep), m)
			evaluated := logits(t, m, torch.Evaluate)
			close32(t, evaluated, folded["logits"], 1e-4, "logits, folded")
			close32(t, evaluated, perStep["logits"], 1e-4, "logits, per step")
			gradients := 0
			for name, want := range folded {
				if strings.HasPrefix(name, "gradient.") {
					close32(t, want, perStep[name], 1e-3, name)
					gradients++
				}
			}
			assert.Greater(t, gradients, 20)

			require.NoError(t, m.step())
			for name, after := range values(t, m.variables) {
				if strings.HasSuffix(name, "temperature") {
					continue
				}
				have := folded["after."+name]
				require.Len(t, have, len(after), name)
				close32(t, difference(after, before[name]), difference(have, before[name]), 1e-2, "change of "+name)
			}
		})
	}
}

func difference(a, b []float32) []float32 {
	d := make([]float32, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	return d
}

func values(t *testing.T, list []torch.Variable) map[string][]float32 {
	t.Helper()
	all := map[string][]float32{}
	for _, v := range list {
		numbers, err := torch.ToSlice[float32](v.Value)
		require.NoError(t, err)
		all[v.Name] = numbers
	}
	return all
}

func logits(t *testing.T, m model, mode torch.Mode) []float32 {
	t.Helper()
	s := torch.NewInference()
	defer s.Close()
	numbers, err := torch.ToSlice[float32](m.forward(search.Pass{Scope: s, Mode: mode}, m.batch.Inputs[0]).Logits)
	require.NoError(t, err)
	return numbers
}

// spikingJelly is the interpreter of the libtorch in use, if it has SpikingJelly.
func spikingJelly(t *testing.T) *Python {
	t.Helper()
	p := python(t)
	run := exec.Command(p.Program, "-c", "import spikingjelly.activation_based.neuron")
	run.Dir = p.Dir
	if text, err := run.CombinedOutput(); err != nil {
		t.Skipf("%s has no SpikingJelly (pip install spikingjelly, with PyTorch 2.6 or newer): %s", p.Program, (&tail{text}).orElse(err.Error()))
	}
	return p
}

// The network of SpikingJelly's layers computes what the folded one computes, which
// TestImplementationsAgree compares with ours. At 32x32: a smaller image's auxiliary
// classifier pools spikes in fours, to the threshold itself, where SpikingJelly's
// neurons fire and ours do not.
func TestSpikingJellyAgrees(t *testing.T) {
	p := spikingJelly(t)
	c := tiny(Train)
	c.Size, c.Batch = 32, 4
	text, err := json.Marshal(c)
	require.NoError(t, err)
	run := exec.Command(p.Program, filepath.Join(p.Dir, scripts.SpikingJellyCheck), string(text))
	run.Dir = p.Dir
	out, err := run.Output()
	require.NoError(t, err)
	var found struct {
		Numbers                      int
		NotZero                      float64 `json:"not_zero"`
		Logits, Auxiliary, Gradients float64
	}
	require.NoError(t, json.Unmarshal(out, &found), string(out))
	assert.Greater(t, found.Numbers, 100000)
	assert.Greater(t, found.NotZero, 0.3, "neurons fire in all layers")
	assert.Less(t, found.Logits, 1e-5)
	assert.Less(t, found.Auxiliary, 1e-5)
	assert.Less(t, found.Gradients, 1e-4)
}

// Both of its networks are measured beside ours.
func TestRunComparesWithSpikingJelly(t *testing.T) {
	p := plan(t, spikingJelly(t))
	p.Others, p.Repeats = SpikingJellySides(), 1
	c := tiny(Train)
	c.Size, c.Width, c.Steps, c.Batch = 32, 48, 6, 2
	rows, pairs, err := p.Run(context.Background(), c)
	require.NoError(t, err)
	require.Len(t, rows, 3)
	require.Len(t, pairs, 2)
	for i, impl := range []string{Ours, SpikingJelly, SpikingJellyDHS} {
		assert.Equal(t, impl, rows[i].Impl)
		assert.Empty(t, rows[i].Error)
		assert.Positive(t, rows[i].Rate)
	}
	rows, _, err = p.Run(context.Background(), tiny(Infer))
	require.NoError(t, err)
	require.Len(t, rows, 2)
	assert.Positive(t, rows[1].Rate)
}

// shim is the libspikedhs.so of this process.
func shim(t *testing.T) string {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	path := regexp.MustCompile(`/.*/libspikedhs\.so`).FindString(string(maps))
	require.NotEmpty(t, path)
	return path
}

// The neurons agree, in one process.
func TestSpikingJellyLIF(t *testing.T) {
	p := spikingJelly(t)
	for precision, tolerance := range map[string]float64{"float32": 1e-5, "bfloat16": 1.0 / 64} {
		c := LIFCase{Setting: Setting{Precision: precision, Batch: 2, Width: 8, Steps: 5, Size: 8, Threads: 1, Device: "cpu"}, Repeats: 1, Seconds: 0.001}
		agreement, rows, err := SpikingJellyLIF(context.Background(), c, p, shim(t), "")
		require.NoError(t, err)
		assert.EqualValues(t, 2*8*5*8*8, agreement.Spikes)
		assert.LessOrEqual(t, agreement.Differ, agreement.Spikes/1000)
		assert.Less(t, agreement.GradientDifference, tolerance)
		assert.Greater(t, agreement.FiringRate, 0.1)
		require.Len(t, rows, 4)
		for i, row := range rows {
			assert.Equal(t, []string{Ours, Ours, SpikingJelly, SpikingJelly}[i], row.Impl)
			assert.Positive(t, row.GBPerS)
			assert.InEpsilon(t, row.GBPerS/row.CopyGBPerS, row.Share, 1e-9)
		}
	}
	_, _, err := SpikingJellyLIF(context.Background(), LIFCase{Setting: Setting{Precision: "float32", Batch: 1, Width: 1, Steps: 1, Size: 1, Threads: 1, Device: "cpu"}}, p, "/nowhere.so", "")
	require.ErrorContains(t, err, "/nowhere.so")
}

// Which cases have a side that is not ours.
func TestSidesOfACase(t *testing.T) {
	p := Plan{Python: &Python{}, Others: append(PythonSides(), SpikingJellySides()...)}
	assert.Equal(t, []string{Ours, PythonFolded, PythonPerStep, SpikingJelly}, p.Sides(tiny(Train)))
	whole := tiny(Train)
	whole.Width, whole.Steps, whole.Size = 48, 6, 32
	assert.Contains(t, p.Sides(whole), SpikingJellyDHS)
	assert.Equal(t, []string{Ours, PythonFolded, PythonPerStep}, p.Sides(tiny(Search)))
	assert.Equal(t, []string{Ours, PythonPerStep}, p.Sides(tinyStereo(t, StereoTrain)))
	p.Python, p.Graphs = nil, true
	assert.Equal(t, []string{Ours, OursGraphs}, p.Sides(tiny(Train)))
	_, _, err := p.Run(context.Background(), tiny(Train))
	require.ErrorContains(t, err, "graphs need a CUDA device")
}
