package train

import (
	"context"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
)

// exported trains, exports to b/model.pt and opens the run.
func (b *bench) exported(t *testing.T) (*Trained, string) {
	t.Helper()
	mustTrain(t, b.job("train"))
	trained := mustOpen(t, b.path("train"))
	path := b.path("model.pt")
	require.NoError(t, trained.Export(path, "v9", trained.Top1))
	return trained, path
}

func TestExportedModelAgrees(t *testing.T) {
	b := newBench(t)
	trained, path := b.exported(t)
	for count, images := range map[int]int{30: 30, testCount: testCount, 1000: testCount, 1: 1} {
		a, err := trained.Check(context.Background(), path, count)
		require.NoError(t, err)
		assert.Equal(t, Agreement{Images: images, MaxDifference: 0, SameClass: images}, a)
	}
	entries, err := os.ReadDir(b.dir)
	require.NoError(t, err)
	for _, e := range entries {
		assert.NotContains(t, e.Name(), ".export", "scratch folders are removed")
	}
}

func TestExportedModelClassifies(t *testing.T) {
	b := newBench(t)
	trained, path := b.exported(t)
	m, err := LoadModel(path, torch.CPU())
	require.NoError(t, err)
	defer m.Close()
	assert.Equal(t, "v9", m.Info.Version)
	assert.Equal(t, "mnist", m.Info.Dataset)
	assert.Len(t, m.Info.Classes, 10)
	assert.Equal(t, []int{2, 1, side, side}, []int{m.Info.Steps, m.Info.Channels, m.Info.Height, m.Info.Width})
	assert.Equal(t, trained.Network.Genotype, m.Info.Genotype)
	assert.Equal(t, trained.Top1, m.Info.Top1)
	parameters, err := trained.Network.Parameters()
	require.NoError(t, err)
	assert.Equal(t, parameters, m.Info.Parameters)

	list := testPictures()[:7]
	guesses, err := m.Classify(pixels(list))
	require.NoError(t, err)
	require.Len(t, guesses, len(list))
	for i, row := range logits(t, trained, list) {
		require.Len(t, guesses[i], 10)
		total, sum := 0.0, 0.0
		for _, x := range row {
			total += math.Exp(float64(x))
		}
		seen := map[int]bool{}
		for k, guess := range guesses[i] {
			assert.InDelta(t, math.Exp(float64(row[guess.Index]))/total, guess.Probability, 1e-5)
			assert.Equal(t, m.Info.Classes[guess.Index], guess.Class)
			if k > 0 {
				assert.LessOrEqual(t, guess.Probability, guesses[i][k-1].Probability)
			}
			seen[guess.Index] = true
			sum += guess.Probability
		}
		assert.Len(t, seen, 10)
		assert.InDelta(t, 1, sum, 1e-5)
		assert.Equal(t, argmax(row), guesses[i][0].Index)
	}
	for _, wrong := range [][]float32{nil, make([]float32, side*side-1), make([]float32, side*side+1)} {
		_, err := m.Classify(wrong)
		assert.ErrorContains(t, err, "not a number of images of 1 x 8 x 8")
	}
}

// An export without a known accuracy says nothing about it.
func TestExportWithoutAccuracy(t *testing.T) {
	b := newBench(t)
	mustTrain(t, b.job("train"))
	trained := mustOpen(t, b.path("train"))
	require.NoError(t, trained.Export(b.path("model.pt"), "", nil))
	text, err := torch.ScriptExtra(b.path("model.pt"), ModelInfoFile)
	require.NoError(t, err)
	assert.NotContains(t, text, "top1")
	assert.Error(t, trained.Export(b.path("no/such/folder/model.pt"), "", nil))
}

// A model of another training does not pass the check.
func TestCheckFindsADifference(t *testing.T) {
	b := newBench(t)
	_, path := b.exported(t)
	j := b.job("other")
	j.Config.Run.Seed = 8
	mustTrain(t, j)
	a, err := mustOpen(t, b.path("other")).Check(context.Background(), path, testCount)
	require.ErrorIs(t, err, ErrDisagree)
	assert.Greater(t, a.MaxDifference, agreementTolerance)
	assert.Less(t, a.SameClass, a.Images)
}

func TestAgreementCountsNaNAsADifference(t *testing.T) {
	var a Agreement
	a.compare([]float32{1, 2, 4, 3}, []float32{1, 2.5, 3, 4}, 2)
	assert.Equal(t, Agreement{Images: 2, MaxDifference: 1, SameClass: 1}, a)
	a.compare([]float32{0, 1}, []float32{0, float32(math.NaN())}, 1)
	assert.True(t, math.IsNaN(a.MaxDifference))
	a.compare([]float32{0, 1}, []float32{0, 1}, 1)
	assert.False(t, a.MaxDifference <= agreementTolerance)
}

func TestFilesThatAreNoModels(t *testing.T) {
	b := newBench(t)
	_, path := b.exported(t)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	files := map[string][]byte{"text.pt": []byte("hello"), "empty.pt": nil, "cut.pt": whole[:len(whole)/2]}
	for name, content := range files {
		require.NoError(t, os.WriteFile(b.path(name), content, 0o644))
	}
	scripts := map[string]map[string]string{
		"foreign.pt": nil, "broken.pt": {ModelInfoFile: "{"}, "empty-info.pt": {ModelInfoFile: "{}"},
		"future.pt": {ModelInfoFile: `{"format": 99}`},
	}
	for name, extra := range scripts {
		script := torch.Script{Class: "M", Source: "def forward(self, x: Tensor) -> Tensor:\n    return x\n", Extra: extra}
		require.NoError(t, script.Save(b.path(name)))
		files[name] = nil
	}
	files["missing.pt"] = nil
	files["config.toml"] = nil
	for name := range files {
		_, err := LoadModel(b.path(name), torch.CPU())
		assert.ErrorIs(t, err, ErrModel, name)
	}
}

func TestRankSortsByProbability(t *testing.T) {
	list := rank([]float32{0.25, 0.5, float32(math.NaN()), 0.25}, []string{"a", "b"})
	assert.Equal(t, []Guess{
		{"b", 1, 0.5}, {"a", 0, 0.25}, {"class 3", 3, 0.25}, {"class 2", 2, 0},
	}, list)
}

// A model runs its instructions; an archive without them runs as TorchScript and
// names the same classes.
func TestModelWithoutInstructionsRunsAsScript(t *testing.T) {
	b := newBench(t)
	trained, path := b.exported(t)
	m, err := LoadModel(path, torch.CPU())
	require.NoError(t, err)
	defer m.Close()
	require.NotNil(t, m.program)
	assert.Equal(t, torch.CPUKernels("events"), m.program.EventDriven())

	p, err := trained.Network.Program(trained.sets.input())
	require.NoError(t, err)
	defer p.Close()
	info, err := torch.ScriptExtra(path, ModelInfoFile)
	require.NoError(t, err)
	old := b.path("old.pt")
	require.NoError(t, p.Script(map[string]string{ModelInfoFile: info}).Save(old))
	script, err := LoadModel(old, torch.CPU())
	require.NoError(t, err)
	defer script.Close()
	require.Nil(t, script.program)

	list := pixels(testPictures()[:20])
	want, err := script.Classify(list)
	require.NoError(t, err)
	have, err := m.Classify(list)
	require.NoError(t, err)
	same := 0
	for i := range want {
		if want[i][0].Index == have[i][0].Index {
			same++
		}
	}
	assert.GreaterOrEqual(t, same, 19)
}
