package bench

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	scripts "github.com/spikedhs/spikedhs/bench"
)

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
