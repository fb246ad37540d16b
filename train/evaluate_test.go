package train

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// pixels are the images as the inference form takes them.
func pixels(list []picture) []float32 {
	var values []float32
	for _, p := range list {
		for _, v := range p.pixels {
			values = append(values, float32(v)/255)
		}
	}
	return values
}

// logits runs the folded network on images, one after another.
func logits(t *testing.T, trained *Trained, list []picture) [][]float32 {
	t.Helper()
	p, err := networkOf(trained).Folded()
	require.NoError(t, err)
	defer p.Close()
	var rows [][]float32
	for _, one := range list {
		s := torch.NewInference()
		values, err := torch.ToSlice[float32](p.Run(s, torch.FromSlice(s, pixels([]picture{one}), 1, 1, side, side)))
		require.NoError(t, s.Close())
		require.NoError(t, err)
		rows = append(rows, values)
	}
	return rows
}

// Accuracies, loss and confusion, counted here one image at a time.
func TestEvaluationCountsRight(t *testing.T) {
	b := newBench(t)
	result := mustTrain(t, b.job("train", func(c *config.Config) { c.Train.Epochs = 1 }))
	trained := mustOpen(t, b.path("train"))
	e, err := classes(trained.Evaluate(context.Background(), nil))
	require.NoError(t, err)

	var first, four, five int
	var loss float64
	confusion := make([][]int, 10)
	for i := range confusion {
		confusion[i] = make([]int, 10)
	}
	list := testPictures()
	for i, row := range logits(t, trained, list) {
		label, larger, sum := list[i].label, 0, 0.0
		for _, x := range row {
			if x > row[label] {
				larger++
			}
			sum += math.Exp(float64(x - row[label]))
		}
		loss += math.Log(sum) / testCount
		if larger < 1 {
			first++
		}
		if larger < 4 {
			four++
		}
		if larger < 5 {
			five++
		}
		confusion[label][argmax(row)]++
	}
	assert.InDelta(t, 100*float64(first)/testCount, e.Top1, 1e-9)
	assert.InDelta(t, 100*float64(five)/testCount, e.Top5, 1e-9)
	assert.Less(t, first, four)
	assert.Less(t, four, five, "the network is bad enough to tell four guesses from five")
	assert.InDelta(t, loss, e.Loss, 1e-5)
	assert.Equal(t, confusion, e.Confusion)
	assert.Equal(t, testCount, e.Images)
	assert.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, e.Classes)
	parameters, err := trained.Network.Parameters()
	require.NoError(t, err)
	assert.Equal(t, parameters, e.Parameters)

	// The training measured the same, to the last bit, and said so everywhere.
	records := ofKind(b.records(t, "train"), "train_epoch")
	last := records[len(records)-1]
	assert.Equal(t, number(t, last, "test_top1"), e.Top1)
	assert.Equal(t, number(t, last, "test_top5"), e.Top5)
	assert.Equal(t, number(t, last, "test_loss"), e.Loss)
	assert.Equal(t, e, result.Evaluation)
	require.NotNil(t, trained.Score)
	assert.Equal(t, e.Top1, *trained.Score)
}

// The batch size of the evaluation changes nothing but the speed.
func TestEvaluationBatchDoesNotMatter(t *testing.T) {
	b := newBench(t)
	mustTrain(t, b.job("train"))
	trained := mustOpen(t, b.path("train"))
	want, err := classes(trained.Evaluate(context.Background(), nil))
	require.NoError(t, err)
	for _, batch := range []int{1, 60, 1000} {
		trained.Config.Eval.Batch = batch
		e, err := classes(trained.Evaluate(context.Background(), nil))
		require.NoError(t, err)
		assert.InDelta(t, want.Loss, e.Loss, 1e-5)
		want.Loss = e.Loss
		require.Equal(t, lookedAt(batch), e.Activity.Checked, "the first batch is looked at value by value")
		e.Activity.Checked = want.Activity.Checked
		assert.Equal(t, want, e)
	}
}

// lookedAt is the number of test images whose values are looked at one by one: the
// first batch, and all where there are no event-driven kernels.
func lookedAt(batch int) int {
	if torch.CPUKernels("events") {
		return min(batch, testCount)
	}
	return testCount
}

func TestEvaluationShowsProgress(t *testing.T) {
	b := newBench(t)
	mustTrain(t, b.job("train"))
	trained := mustOpen(t, b.path("train"))
	var text bytes.Buffer
	e, err := classes(trained.Evaluate(context.Background(), run.NewProgress(&text)))
	require.NoError(t, err)
	assert.Contains(t, text.String(), "evaluate: 60 images")
	assert.Contains(t, text.String(), "top-1")
	assert.Positive(t, e.Images)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = trained.Evaluate(ctx, nil)
	require.ErrorIs(t, err, context.Canceled)
}

// An earlier checkpoint, given by its path, is another network.
func TestOpenAnotherCheckpoint(t *testing.T) {
	b := newBench(t)
	mustTrain(t, b.job("short", func(c *config.Config) { c.Train.Epochs = 1 }))
	mustTrain(t, b.job("train"))
	other, err := Open(context.Background(), b.path("train"), b.path("short/checkpoints/"+CheckpointFile), "cpu")
	require.NoError(t, err)
	defer other.Close()
	have := mustOpen(t, b.path("train"))
	assert.NotEqual(t, weights(t, have), weights(t, other))
	assert.Equal(t, weights(t, mustOpen(t, b.path("short"))), weights(t, other))
}

func weights(t *testing.T, trained *Trained) []float32 {
	t.Helper()
	var all []float32
	for _, x := range trained.Network.Variables().All() {
		values, err := torch.ToSlice[float32](x.Value)
		require.NoError(t, err)
		all = append(all, values...)
	}
	return slices.Clip(all)
}

func TestKernelRules(t *testing.T) {
	own := torch.KernelRules{ConvolutionTF32: true}
	for _, c := range []struct {
		run  config.Run
		want torch.KernelRules
	}{
		{config.Default().Run, torch.KernelRules{Benchmark: true, ConvolutionTF32: true}},
		{config.Run{TF32: "on"}, torch.KernelRules{ConvolutionTF32: true, ProductTF32: true}},
		{config.Run{TF32: "off", CuDNNBenchmark: true}, torch.KernelRules{Benchmark: true}},
		{config.Run{TF32: "auto", CuDNNBenchmark: true, Deterministic: true}, torch.KernelRules{ConvolutionTF32: true, Deterministic: true}},
	} {
		assert.Equal(t, c.want, kernelRules(&c.run, own), "%+v", c.run)
	}
}

// A run folder of a program that knew neither these keys nor others since means their
// defaults, and can be resumed.
func TestResumeOfAFolderWithoutTheKeys(t *testing.T) {
	b := newBench(t)
	b.busyInTwo(t)
	keys := regexp.MustCompile(`(?m)^(cudnn_benchmark|tf32|deterministic) = .*\n`)
	text := b.file(t, "cut", run.ConfigFile)
	require.Len(t, keys.FindAll(text, -1), 3)
	require.NoError(t, os.WriteFile(filepath.Join(b.path("cut"), run.ConfigFile), keys.ReplaceAll(text, nil), 0o644))
	mustTrain(t, b.resume("cut"))
	b.remains(t, "whole").require(t, b.remains(t, "cut"))
	folder, err := run.Open(b.path("cut"))
	require.NoError(t, err)
	assert.True(t, folder.Config().Run.CuDNNBenchmark)
	assert.Equal(t, "auto", folder.Config().Run.TF32)
}

// A run puts its rules in force, and so does what opens its folder; the bits on the
// CPU are the same under all of them.
func TestRunsSetTheirKernelRules(t *testing.T) {
	b := newBench(t)
	mustTrain(t, b.job("plain", busy))
	plain, err := torch.Kernels()
	require.NoError(t, err)
	assert.True(t, plain.Benchmark)
	assert.False(t, plain.Deterministic)

	mustTrain(t, b.job("strict", busy, func(c *config.Config) { c.Run.Deterministic, c.Run.TF32 = true, "off" }))
	strict := torch.KernelRules{Deterministic: true}
	have, err := torch.Kernels()
	require.NoError(t, err)
	assert.Equal(t, strict, have)
	b.remains(t, "plain").require(t, b.remains(t, "strict"))

	require.NoError(t, mustOpen(t, b.path("plain")).Close())
	have, err = torch.Kernels()
	require.NoError(t, err)
	assert.Equal(t, plain, have)
	opened, err := Open(context.Background(), b.path("strict"), "", "")
	require.NoError(t, err)
	require.NoError(t, opened.Close())
	have, err = torch.Kernels()
	require.NoError(t, err)
	assert.Equal(t, strict, have)
}
