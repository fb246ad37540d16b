package bench

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	network "github.com/spikedhs/spikedhs/search/stereo"
	"github.com/spikedhs/spikedhs/torch"
	criterion "github.com/spikedhs/spikedhs/train/stereo"
	"github.com/spikedhs/spikedhs/train/task"
	"github.com/spikedhs/spikedhs/train/task/stereo"
)

// tinyStereo takes a second.
func tinyStereo(t *testing.T, task Task) Case {
	t.Helper()
	c, err := SizedCase(task, "small", "float32", "cpu", 1)
	require.NoError(t, err)
	c.Width, c.Steps, c.Stereo.Rows, c.Stereo.Columns = 2, min(c.Steps, 2), 22, 52
	return c
}

func TestStereoCases(t *testing.T) {
	var full, found Case
	for _, of := range []struct {
		c          *Case
		task       Task
		size, name string
	}{
		{&full, StereoTrain, "full", "stereo-train spikedhs float32 batch 1 f=8 T=5 200x280"},
		{&full, StereoStream, "full", "stereo-stream spikedhs float32 batch 1 f=8 T=1 260x346"},
		{&found, StereoSearch, "full", "stereo-search spikedhs float32 batch 1 f=4 T=5 200x280"},
		{&found, StereoSearch, "small", "stereo-search spikedhs float32 batch 1 f=2 T=3 96x132"},
	} {
		c, err := SizedCase(of.task, of.size, "float32", "cpu", 2)
		require.NoError(t, err)
		assert.Equal(t, of.name, c.String())
		*of.c = c
	}
	found.Stereo.MatchingLayers = 0
	assert.ErrorIs(t, found.Validate(), ErrCase)
	_, err := SizedCase(StereoStream, "medium", "float32", "cpu", 2)
	assert.ErrorIs(t, err, ErrCase)
	full.Stereo = nil
	assert.ErrorIs(t, full.Validate(), ErrCase)
}

// Our side and the script are measured in turn, where there is PyTorch.
func TestStereoIsMeasured(t *testing.T) {
	python := python(t)
	for _, of := range tasks(true) {
		p := plan(t, python)
		rows, pairs, err := p.Run(context.Background(), tinyStereo(t, of))
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

// checkedByScript is what the script computes of a case from our variables.
func checkedByScript(t *testing.T, s *torch.Scope, c Case, variables []torch.Variable, b task.Tensors) map[string]torch.Tensor {
	t.Helper()
	return checkedBy(t, python(t), "stereo_check.py", s, c, append([]torch.Variable{
		{Name: "left", Value: b.Inputs[0]}, {Name: "right", Value: b.Inputs[1]}, {Name: "truth", Value: b.Target},
	}, variables...))
}

// costsAgree compares costs, disparities and the loss, which it returns.
func costsAgree(t *testing.T, s *torch.Scope, found map[string]torch.Tensor, x task.Tensors,
	forward func(p search.Pass, left, right torch.Tensor) torch.Tensor) (loss torch.Tensor) {
	t.Helper()
	cost := forward(search.Pass{Scope: s}, x.Inputs[0], x.Inputs[1])
	agrees(t, s, found, "evaluated", cost, 1e-4)
	agrees(t, s, found, "disparity", network.Estimate(s, cost), 1e-4)
	cost = forward(search.Pass{Scope: s, Mode: torch.Train}, x.Inputs[0], x.Inputs[1])
	agrees(t, s, found, "trained", cost, 1e-3)
	loss = criterion.Loss(s, cost, x.Target, 1)
	agrees(t, s, found, "loss", s.Reshape(loss, 1), 1e-4)
	return loss
}

// agrees compares our tensor with the script's, relative to the largest number.
func agrees(t *testing.T, s *torch.Scope, found map[string]torch.Tensor, name string, want torch.Tensor, tolerance float64) {
	t.Helper()
	a, err := torch.ToSlice[float32](s.Contiguous(s.Detach(want)))
	require.NoError(t, err)
	require.True(t, torch.Defined(found[name]), name)
	b, err := torch.ToSlice[float32](found[name])
	require.NoError(t, err)
	close32(t, a, b, tolerance, name)
	delete(found, name)
}

// scriptAgrees compares costs, loss and gradients of a case with the script's from one
// set of weights, which variables lists, those with gradients last. A gradient that is
// 0 but for rounding is compared as such.
func scriptAgrees(t *testing.T, of Task, variables func(learns any) (all, learned []torch.Variable), isZero func(name string) bool) {
	t.Helper()
	c := tinyStereo(t, of)
	w, err := newWorkload(c)
	require.NoError(t, err)
	defer func() { require.NoError(t, w.close()) }()
	our, x := w.(*learning).model, w.(*learning).on[0]
	s := torch.NewScope()
	defer s.Close()
	all, learned := variables(our)
	found := checkedByScript(t, s, c, all, x)
	loss := costsAgree(t, s, found, x, our.(interface {
		Forward(p search.Pass, left, right torch.Tensor) torch.Tensor
	}).Forward)
	for i, gradient := range s.GradientOf(loss, torch.Tensors(learned)) {
		name := "gradient." + learned[i].Name
		if isZero(name) {
			for _, g := range []torch.Tensor{gradient, found[name]} {
				assert.InDelta(t, 0, s.Item(s.Sum(s.Tensor("aten::abs", g))), 1e-4, name)
			}
			delete(found, name)
		} else if of == StereoSearch || torch.Defined(found[name]) {
			agrees(t, s, found, name, gradient, 5e-3)
		}
	}
	require.NoError(t, s.Err())
	assert.Empty(t, found, "not all was compared")
}

// The script's network is ours: the same costs, loss and gradients.
func TestStereoScriptAgrees(t *testing.T) {
	scriptAgrees(t, StereoTrain, func(learns any) (all, learned []torch.Variable) {
		v := learns.(*stereo.Network).Variables()
		return v.All(), v.Parameters()
	}, func(string) bool { return false })
}

// So is its supernet: gradients of all weights, of alpha and of beta.
func TestStereoSupernetScriptAgrees(t *testing.T) {
	scriptAgrees(t, StereoSearch, func(learns any) (all, learned []torch.Variable) {
		our := learns.(*stereo.Supernet)
		// Uneven choices, so that no two candidates or moves can be exchanged unnoticed.
		drawing := torch.NewInference()
		for _, v := range our.Architecture().All() {
			drawing.CopyTo(v.Value, drawing.Randn(torch.CPU(), drawing.Shape(v.Value)...))
		}
		require.NoError(t, drawing.Close())
		return both(our.Weights(), our.Architecture()), append(our.Weights().Parameters(), our.Architecture().Parameters()...)
	}, func(name string) bool {
		return strings.HasSuffix(name, ".conv.bias") // normalisation takes any constant away
	})
}
