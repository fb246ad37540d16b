package train

import (
	"context"
	"math/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// writeRectangles writes noise images of any size in the form of MNIST.
func writeRectangles(t *testing.T, dir string, height, width int) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	rng := rand.New(rand.NewSource(9))
	for split, n := range map[string]int{"train": 60, "t10k": 30} {
		var pixels, labels []byte
		for i := range n {
			labels = append(labels, byte(i%10))
			for range height * width {
				pixels = append(pixels, byte(rng.Intn(256)))
			}
		}
		writeSplit(t, dir, split, height, width, pixels, labels)
	}
}

// checkActivity computes additions, multiplications and energy of every layer again
// from its shapes and firing rate.
func checkActivity(t *testing.T, of task.Evaluation) {
	t.Helper()
	a := classOf(of).Activity
	require.NotNil(t, a)
	require.NotEmpty(t, a.Layers)
	var additions, macs, energy, ann float64
	for _, l := range a.Layers {
		assert.True(t, l.Rate >= 0 && l.Rate <= 1, "%s: %v", l.Name, l.Rate)
		dense := float64(l.Input[0] * l.Output[0] * l.Output[1] * l.Output[2] * l.Kernel * l.Kernel)
		assert.Equal(t, dense, float64(l.Dense), l.Name)
		if l.Reads == graph.ReadsAnalog {
			assert.Equal(t, float64(l.Steps)*dense, float64(l.MACs), l.Name)
		} else {
			assert.InDelta(t, l.Rate*float64(l.Steps)*dense, l.Additions, 1e-6*dense, l.Name)
		}
		assert.InDelta(t, 0.9e-9*l.Additions+4.6e-9*float64(l.MACs), l.Energy, 1e-15, l.Name)
		additions, macs, energy, ann = additions+l.Additions, macs+float64(l.MACs), energy+l.Energy, ann+4.6e-9*dense
	}
	for _, l := range a.Neurons {
		assert.True(t, l.Rate >= 0 && l.Rate <= 1, "%s: %v", l.Name, l.Rate)
	}
	assert.InDelta(t, additions, a.Additions, 1e-3)
	assert.Equal(t, macs, float64(a.MACs))
	assert.InEpsilon(t, energy, a.Energy, 1e-9)
	assert.InEpsilon(t, ann/energy, a.Ratio, 1e-9)
}

// The evaluation of a trained network counts all test images, in training as well.
func TestEvaluationCountsSpikes(t *testing.T) {
	b := newBench(t)
	result := mustTrain(t, b.job("train"))
	checkActivity(t, result.Evaluation)
	a := classOf(result.Evaluation).Activity
	assert.Equal(t, testCount, a.Images)
	assert.Equal(t, lookedAt(25), a.Checked, "the first batch")
	assert.True(t, a.Binary)
	assert.Positive(t, a.FiringRate)

	trained := mustOpen(t, b.path("train"))
	trained.Config.Eval.CountImages = 26
	e, err := classes(trained.Evaluate(context.Background(), nil))
	require.NoError(t, err)
	assert.Equal(t, 50, e.Activity.Images, "whole batches")
	assert.Equal(t, classOf(result.Evaluation).Top1, e.Top1, "all images are evaluated nevertheless")
	trained.Config.Eval.CountImages, trained.Config.Eval.Precision = 0, "bfloat16"
	e, err = classes(trained.Evaluate(context.Background(), nil))
	require.NoError(t, err)
	checkActivity(t, e)
	assert.Equal(t, testCount, e.Activity.Images, "fewer than the 500 of that form")
	assert.InDelta(t, a.FiringRate, e.Activity.FiringRate, 0.02)
}

// The variants of the network go the whole way: training, resume, evaluation, export
// and the exported model.
func TestVariantsGoTheWholeWay(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"ANN": func(c *config.Config) { c.Network.Activation, c.Network.Steps = "relu", 1 },
		"ANN, two stems": func(c *config.Config) {
			c.Network.Activation, c.Network.Steps, c.Network.StemStrides = "relu", 1, []int{1, 2}
		},
		"binary neurons":  func(c *config.Config) { c.Network.Tau = 0 },
		"two stems":       func(c *config.Config) { c.Network.StemStrides, c.Network.Head = []int{2, 1}, "lif" },
		"per-step, three": func(c *config.Config) { c.Network.StemStrides, c.Network.BN = []int{1, 2, 1}, "per-step" },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			job := b.job("run", change)
			whole := mustTrain(t, b.job("whole", change))
			job.MaxSteps = 7
			mustTrain(t, job)
			resumed := mustTrain(t, b.resume("run"))
			b.remains(t, "whole").require(t, b.remains(t, "run"))
			assert.Equal(t, whole.Evaluation, resumed.Evaluation)
			checkActivity(t, resumed.Evaluation)
			ann := job.Config.Network.Activation == "relu"
			a := classOf(resumed.Evaluation).Activity
			assert.Equal(t, !ann, a.Binary)
			if ann {
				assert.Empty(t, a.Neurons)
				assert.Zero(t, a.Additions)
				assert.InDelta(t, 1, a.Ratio, 1e-9)
			}

			trained := mustOpen(t, b.path("run"))
			model := b.path("model.pt")
			require.NoError(t, trained.Network.Export(model, "test", nil))
			agreement := check(t, trained, model, testCount)
			assert.Equal(t, testCount, agreement.SameClass)
			m, err := classify.LoadModel(model, torch.CPU())
			require.NoError(t, err)
			defer m.Close()
			guesses, err := m.Classify(pixels(testPictures()[:5]))
			require.NoError(t, err)
			for i, row := range logits(t, trained, testPictures()[:5]) {
				assert.Equal(t, argmax(row), guesses[i][0].Index)
			}
		})
	}
}

// A genotype that was searched on one data set trains on another: other images, of
// odd and unequal sides, another width, other levels and another stem. Its nodes and
// its down-sampling replace what the configuration says.
func TestGenotypeMovesToAnotherDataSet(t *testing.T) {
	b := newBench(t)
	found := mustSearch(t, b.job("search", func(c *config.Config) { c.Search.Epochs = 2 }))
	file := found.Folder.Path(run.GenotypeFile)
	for _, size := range [][2]int{{11, 7}, {5, 14}, {9, 9}} {
		dir := filepath.Join(b.dir, "rectangles")
		writeRectangles(t, dir, size[0], size[1])
		out := b.path("moved")
		require.NoError(t, os.RemoveAll(out))
		job := b.job("moved", func(c *config.Config) {
			c.Data.Name, c.Data.Path, c.Data.Pad = "fashion-mnist", dir, 1
			c.Train.Genotype, c.Train.Width, c.Train.Epochs = file, 5, 1
			c.Train.AuxiliaryWeight = 0.4
			c.Network.Nodes, c.Network.Downsample = 4, "nearest"
			c.Network.Levels, c.Network.StemStrides = []int{0, 0, 1}, []int{1, 2}
		})
		moved := mustTrain(t, job)
		assert.Equal(t, found.Genotype.Hash(), moved.Genotype.Hash())
		assert.Equal(t, 4, job.Config.Network.Nodes, "the caller's configuration is left alone")
		assert.Equal(t, 2, moved.Folder.Config().Network.Nodes, "the run knows what it trained")
		assert.Equal(t, string(found.Genotype.Downsample()), moved.Folder.Config().Network.Downsample)
		checkActivity(t, moved.Evaluation)
		trained := mustOpen(t, out)
		e, err := classes(trained.Evaluate(context.Background(), nil))
		require.NoError(t, err)
		assert.Equal(t, moved.Evaluation, e)
		first := e.Activity.Layers[0]
		assert.Equal(t, [3]int{1, size[0] + 2, size[1] + 2}, first.Input)
		require.NoError(t, trained.Network.Export(b.path("moved.pt"), "test", nil))
		check(t, trained, b.path("moved.pt"), 30)
	}
}
