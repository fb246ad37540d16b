package bench

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	scripts "github.com/spikedhs/spikedhs/bench"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	criterion "github.com/spikedhs/spikedhs/train/stereo"
)

// tinyStereo takes a second.
func tinyStereo(t *testing.T, task Task) Case {
	t.Helper()
	c, err := StereoCase(task, "small", "float32", "cpu", 1)
	require.NoError(t, err)
	c.Width, c.Steps, c.Stereo.Rows, c.Stereo.Columns = 2, min(c.Steps, 2), 22, 52
	return c
}

func TestStereoCases(t *testing.T) {
	full, err := StereoCase(StereoTrain, "full", "float32", "cpu", 2)
	require.NoError(t, err)
	assert.Equal(t, "stereo-train spikedhs float32 batch 1 f=8 T=5 200x280", full.String())
	full, err = StereoCase(StereoStream, "full", "float32", "cpu", 2)
	require.NoError(t, err)
	assert.Equal(t, "stereo-stream spikedhs float32 batch 1 f=8 T=1 260x346", full.String())
	_, err = StereoCase(StereoStream, "medium", "float32", "cpu", 2)
	assert.ErrorIs(t, err, ErrCase)
	full.Stereo = nil
	assert.ErrorIs(t, full.Validate(), ErrCase)
}

// Our side and the script are measured in turn, where there is PyTorch.
func TestStereoIsMeasured(t *testing.T) {
	python := python(t)
	for _, task := range StereoTasks() {
		p := plan(t, python)
		rows, pairs, err := p.Run(context.Background(), tinyStereo(t, task))
		require.NoError(t, err)
		require.Len(t, rows, 2)
		require.Len(t, pairs, 1)
		assert.Equal(t, PythonPerStep, pairs[0].Over)
		for _, r := range rows {
			assert.Empty(t, r.Error)
			assert.Positive(t, r.Rate)
			assert.Positive(t, r.PeakRSSMB)
		}
	}
}

// The script's network is ours: the same costs, loss and gradients from one set of
// weights.
func TestStereoScriptAgrees(t *testing.T) {
	python := python(t)
	c := tinyStereo(t, StereoTrain)
	w, err := newWorkload(c)
	require.NoError(t, err)
	defer func() { require.NoError(t, w.close()) }()
	our := w.(*stereoTraining)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	f, err := os.Create(in)
	require.NoError(t, err)
	require.NoError(t, torch.WriteSafetensors(f, append(slices.Clone(our.net.Variables().All()),
		torch.Variable{Name: "left", Value: our.left}, torch.Variable{Name: "right", Value: our.right},
		torch.Variable{Name: "truth", Value: our.truth}), nil))
	require.NoError(t, f.Close())
	text, err := json.Marshal(c)
	require.NoError(t, err)
	run := exec.Command(python.Program, filepath.Join(python.Dir, scripts.StereoCheck), string(text), in, out)
	run.Dir = python.Dir
	message, err := run.CombinedOutput()
	require.NoError(t, err, string(message))
	f, err = os.Open(out)
	require.NoError(t, err)
	defer f.Close()
	s := torch.NewScope()
	defer s.Close()
	found, _, err := torch.ReadSafetensors(s, f)
	require.NoError(t, err)
	compare := func(name string, want torch.Tensor, tolerance float64) {
		a, err := torch.ToSlice[float32](s.Contiguous(s.Detach(want)))
		require.NoError(t, err)
		b, err := torch.ToSlice[float32](found[name])
		require.NoError(t, err)
		close32(t, a, b, tolerance, name)
	}
	cost := our.net.Forward(search.Pass{Scope: s}, our.left, our.right)
	compare("evaluated", cost, 1e-4)
	compare("disparity", stereo.Estimate(s, cost), 1e-4)
	cost = our.net.Forward(search.Pass{Scope: s, Mode: torch.Train}, our.left, our.right)
	compare("trained", cost, 1e-3)
	loss := criterion.Loss(s, cost, our.truth, 1)
	compare("loss", s.Reshape(loss, 1), 1e-4)
	parameters := our.net.Variables().Parameters()
	for i, gradient := range s.GradientOf(loss, torch.Tensors(parameters)) {
		if name := "gradient." + parameters[i].Name; torch.Defined(found[name]) {
			compare(name, gradient, 5e-3)
			delete(found, name)
		}
	}
	require.NoError(t, s.Err())
	assert.Len(t, found, 4, "not all gradients were compared")
}
