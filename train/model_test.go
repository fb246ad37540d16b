package train

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// exported trains, exports to b/model.pt and opens the run.
func (b *bench) exported(t *testing.T) (*Trained, string) {
	t.Helper()
	mustTrain(t, b.job("train"))
	trained := mustOpen(t, b.path("train"))
	path := b.path("model.pt")
	require.NoError(t, trained.Network.Export(path, "v9", trained.Score))
	return trained, path
}

func TestExportedModelAgrees(t *testing.T) {
	b := newBench(t)
	trained, path := b.exported(t)
	for count, images := range map[int]int{30: 30, testCount: testCount, 1000: testCount, 1: 1} {
		a := check(t, trained, path, count)
		assert.Equal(t, classify.Agreement{Images: images, MaxDifference: 0, SameClass: images}, a)
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
	m, err := classify.LoadModel(path, torch.CPU())
	require.NoError(t, err)
	defer m.Close()
	assert.Equal(t, "v9", m.Info.Version)
	assert.Equal(t, "mnist", m.Info.Dataset)
	assert.Len(t, m.Info.Classes, 10)
	assert.Equal(t, []int{2, 1, side, side}, []int{m.Info.Steps, m.Info.Channels, m.Info.Height, m.Info.Width})
	assert.Equal(t, networkOf(trained).Genotype, m.Info.Genotype)
	assert.Equal(t, trained.Score, m.Info.Top1)
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
	require.NoError(t, trained.Network.Export(b.path("model.pt"), "", nil))
	text, err := torch.ScriptExtra(b.path("model.pt"), task.InfoFile)
	require.NoError(t, err)
	assert.NotContains(t, text, "top1")
	assert.Error(t, trained.Network.Export(b.path("no/such/folder/model.pt"), "", nil))
}

// A model of another training does not pass the check.
func TestCheckFindsADifference(t *testing.T) {
	b := newBench(t)
	_, path := b.exported(t)
	j := b.job("other")
	j.Config.Run.Seed = 8
	mustTrain(t, j)
	found, err := mustOpen(t, b.path("other")).Network.Check(context.Background(), path, testCount)
	require.ErrorIs(t, err, classify.ErrDisagree)
	a := found.(classify.Agreement)
	assert.Greater(t, a.MaxDifference, 1e-4)
	assert.Less(t, a.SameClass, a.Images)
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
		"foreign.pt": nil, "broken.pt": {task.InfoFile: "{"}, "empty-info.pt": {task.InfoFile: "{}"},
		"future.pt": {task.InfoFile: `{"format": 99}`},
	}
	for name, extra := range scripts {
		script := torch.Script{Class: "M", Source: "def forward(self, x: Tensor) -> Tensor:\n    return x\n", Extra: extra}
		require.NoError(t, script.Save(b.path(name)))
		files[name] = nil
	}
	files["missing.pt"] = nil
	files["config.toml"] = nil
	for name := range files {
		_, err := classify.LoadModel(b.path(name), torch.CPU())
		assert.ErrorIs(t, err, classify.ErrModel, name)
	}
}

func TestMeterCounts(t *testing.T) {
	m := newMeter(torch.CPU())
	defer func() { require.NoError(t, m.close()) }()
	s := torch.NewScope()
	defer s.Close()
	// Three images of which two are right, then one that is wrong.
	m.add(s, new(classify.Network), s.Full(torch.CPU(), 0.5), torch.FromSlice(s, []float32{9, 1, 2, 7, 0, 3}, 3, 2), task.Tensors{Target: torch.FromSlice(s, []int64{0, 1, 0}, 3), N: 3})
	m.count(3)
	m.add(s, new(classify.Network), s.Full(torch.CPU(), 2.5), torch.FromSlice(s, []float32{9, 1}, 1, 2), task.Tensors{Target: torch.FromSlice(s, []int64{1}, 1), N: 1})
	m.count(1)
	require.NoError(t, s.Err())
	r, err := m.read()
	require.NoError(t, err)
	assert.Equal(t, reading{Loss: 4, Correct: 2, Images: 4}, r)
	assert.Equal(t, 1.0, r.meanLoss())
	assert.Equal(t, 50.0, r.percent())
	assert.Equal(t, "loss 1.0000, top-1 50.00 %", r.words(classify.Task{}.Score()))
	assert.Equal(t, reading{Loss: 3, Correct: 1, Images: 2}, r.since(reading{Loss: 1, Correct: 1, Images: 2}))

	m.reset()
	r, err = m.read()
	require.NoError(t, err)
	assert.Equal(t, reading{}, r)
	assert.Zero(t, r.meanLoss())
	assert.Zero(t, r.percent())

	m.restore(reading{Loss: 1.25, Correct: 3, Images: 5})
	m.add(s, new(classify.Network), s.Full(torch.CPU(), 1), torch.FromSlice(s, []float32{0, 1}, 1, 2), task.Tensors{Target: torch.FromSlice(s, []int64{1}, 1), N: 1})
	m.count(1)
	r, err = m.read()
	require.NoError(t, err)
	assert.Equal(t, reading{Loss: 2.25, Correct: 4, Images: 6}, r)
}

// float16 is refused on the CPU before a folder is made.
func TestFloat16NeedsCUDA(t *testing.T) {
	b := newBench(t)
	for key, change := range map[string]func(*config.Config){
		"run.precision":  func(c *config.Config) { c.Run.Precision = "float16" },
		"eval.precision": func(c *config.Config) { c.Eval.Precision = "float16" },
	} {
		for kind, start := range runs {
			err := start(context.Background(), b.job(kind, change))
			require.ErrorIs(t, err, config.ErrInvalid)
			require.ErrorContains(t, err, key+": float16 needs a CUDA device; on the CPU use bfloat16 or float32")
			assert.NoDirExists(t, b.path(kind))
		}
	}
}

// A run of float16 can be used on the CPU, in float32.
func TestUseOfAFloat16Run(t *testing.T) {
	c := newBench(t).config
	c.Run.Precision = "float16"
	m, err := setUpToUse(c)
	require.NoError(t, err)
	assert.Equal(t, search.Float32, m.precision)
	assert.Equal(t, search.Float32, task.EvalPrecision(c, m.device))
	c.Run.Precision = "bfloat16"
	m, err = setUpToUse(c)
	require.NoError(t, err)
	assert.Equal(t, search.BFloat16, m.precision)
}

// Skipped steps are told once an epoch, those of the epoch alone.
func TestSkippedStepsAreTold(t *testing.T) {
	v := torch.NewVariables(torch.CPU())
	defer v.Close()
	v.Root().Parameter("w", torch.Constant(1), 2)
	o, err := newOptimizer(v, &config.Learning{LR: 0.1}, LossScale(search.Float16))
	require.NoError(t, err)
	defer o.Close()
	var log bytes.Buffer
	l := &loop{job: &Job{Log: slog.New(slog.NewTextHandler(&log, nil))}, groups: []group{{"weights", v, nil}, {"optimizer", nil, o}}}
	s := torch.NewScope()
	defer s.Close()
	for _, g := range []float64{1, math.Inf(1), math.NaN()} {
		o.LossScale().Unscale(s, []torch.Tensor{s.Full(torch.CPU(), g, 2)})
	}
	require.NoError(t, s.Err())
	require.NoError(t, l.warnOfSkipped())
	assert.Contains(t, log.String(), "epoch=1 steps=2")
	log.Reset()
	require.NoError(t, l.warnOfSkipped())
	assert.Empty(t, log.String())
}

// The losses of float16 alone are scaled.
func TestLossScales(t *testing.T) {
	assert.Zero(t, LossScale(search.Float32))
	assert.Zero(t, LossScale(search.BFloat16))
	scale, err := torch.NewLossScale(torch.CPU(), LossScale(search.Float16))
	require.NoError(t, err)
	require.NoError(t, scale.Close())
}
