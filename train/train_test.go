package train

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

func TestTrainLearns(t *testing.T) {
	b := newBench(t)
	b.config.Train.Epochs, b.config.Train.Width = 8, 4
	result := mustTrain(t, b.job("train"))
	assert.Greater(t, classOf(result.Evaluation).Top1, 50.0, "chance is 10 %")
	assert.Equal(t, testCount, classOf(result.Evaluation).Images)
	assert.EqualValues(t, 80, result.Steps)
	g, err := genotype.Load(b.path("wiring.json"))
	require.NoError(t, err)
	assert.Equal(t, g, result.Genotype)
	assert.FileExists(t, b.path("train/"+DrawingSVG))
	assert.FileExists(t, b.path("train/"+DrawingDOT))

	list := b.records(t, "train")
	epochs := ofKind(list, "train_epoch")
	require.Len(t, epochs, 8)
	assert.Less(t, number(t, epochs[7], "loss"), number(t, epochs[0], "loss")/2)
	assert.Equal(t, classOf(result.Evaluation).Top1, number(t, epochs[7], "test_top1"))
	assert.Equal(t, classOf(result.Evaluation).Loss, number(t, epochs[7], "test_loss"))
	assert.Len(t, ofKind(list, "train_step"), 8, "one for ten steps")
	assert.False(t, result.Folder.Info().Ended.IsZero())
}

func TestTrainRecords(t *testing.T) {
	b := newBench(t)
	mustTrain(t, b.job("train", func(c *config.Config) { c.Train.Epochs, c.Train.EvalEvery, c.Train.LRMin = 3, 2, 0.02 }))
	epochs := ofKind(b.records(t, "train"), "train_epoch")
	require.Len(t, epochs, 3)
	plain := []string{"epoch", "loss", "lr", "step", "top1"}
	evaluated := append([]string{"test_loss", "test_top1", "test_top5"}, plain...)
	slices.Sort(evaluated)
	assert.Equal(t, plain, slices.Sorted(maps.Keys(epochs[0].Fields)))
	assert.Equal(t, evaluated, slices.Sorted(maps.Keys(epochs[1].Fields)))
	assert.Equal(t, evaluated, slices.Sorted(maps.Keys(epochs[2].Fields)), "always after the last")
	assert.InDelta(t, 0.02+0.08*0.75, number(t, epochs[0], "lr"), 1e-12)
	assert.InDelta(t, 0.02, number(t, epochs[2], "lr"), 1e-12)
	for _, r := range epochs {
		assert.Contains(t, r.Wall, "images_per_s")
	}
}

// The mean of the step records is the epoch's loss, in every epoch.
func TestStepRecordsAddUp(t *testing.T) {
	b := newBench(t)
	mustTrain(t, b.job("train", func(c *config.Config) { c.Train.Epochs, c.Train.Batch = 2, 5 })) // 40 steps an epoch
	list := b.records(t, "train")
	steps := ofKind(list, "train_step")
	require.Len(t, steps, 8)
	var means [2]float64
	for i, r := range steps {
		assert.Equal(t, float64(10*(i+1)), number(t, r, "step"))
		means[i/4] += number(t, r, "loss") / 4
	}
	for i, r := range ofKind(list, "train_epoch") {
		assert.InDelta(t, number(t, r, "loss"), means[i], 1e-5)
	}
}

// The learning rate falls: a run with another end is the same for one step.
func TestLearningRateFollowsItsCosine(t *testing.T) {
	b := newBench(t)
	for kind, start := range runs {
		group := map[string]string{"search": "weights", "train": "network"}[kind]
		for _, steps := range []int64{1, 2} {
			var saved []map[string][]float32
			for _, end := range []float64{0, 0.1} {
				name := fmt.Sprint(kind, steps, end)
				j := b.job(name, func(c *config.Config) { c.Train.LRMin, c.Search.LRMin = end, end })
				j.MaxSteps = steps
				require.NoError(t, start(context.Background(), j))
				saved = append(saved, b.saved(t, name, group))
			}
			assert.Equal(t, steps == 1, reflect.DeepEqual(saved[0], saved[1]), "%s, %d steps", kind, steps)
		}
	}
}

// The first step of the auxiliary classifier is proportional to its weight.
func TestAuxiliaryWeight(t *testing.T) {
	b := newBench(t)
	var after [][]float32
	for _, weight := range []float64{0.2, 0.4, 0.8} {
		name := fmt.Sprint("auxiliary", weight)
		j := b.job(name, func(c *config.Config) {
			c.Train.AuxiliaryWeight, c.Train.Clip, c.Train.WeightDecay, c.Train.LR = weight, 0, 0, 1
		})
		j.MaxSteps = 1
		mustTrain(t, j)
		after = append(after, b.saved(t, name, "network")["auxiliary.norm.2.bias"])
	}
	moved := float32(0)
	for i := range after[0] {
		assert.InDelta(t, 2*(after[1][i]-after[0][i]), after[2][i]-after[1][i], 1e-6)
		moved = max(moved, after[1][i]-after[0][i])
	}
	assert.Greater(t, moved, float32(1e-3))
}

// Training and test images are limited to seeded subsets, and the preset is
// found by its name.
func TestTrainOnASubset(t *testing.T) {
	b := newBench(t)
	result := mustTrain(t, b.job("train", func(c *config.Config) {
		c.Data.TrainImages, c.Data.TestImages, c.Train.Batch, c.Train.Epochs = 42, 20, 14, 1
		c.Train.Genotype = genotype.PresetClassificationN3
		c.Train.Mixing, c.Network.Head, c.Network.BN = "spike", "rate", "per-step"
	}))
	assert.EqualValues(t, 3, result.Steps)
	assert.Equal(t, 20, classOf(result.Evaluation).Images)
	assert.Equal(t, genotype.PresetClassificationN3, result.Genotype.Name)
}

// A folder that the caller made is used; steps can be limited.
func TestTrainInAGivenFolder(t *testing.T) {
	b := newBench(t)
	j := b.job("unused")
	info, err := NewInfo(j.Config, "v1", []string{"me"})
	require.NoError(t, err)
	j.Folder, err = run.Create(b.path("given"), j.Config, info)
	require.NoError(t, err)
	j.MaxSteps = 12
	result := mustTrain(t, j)
	assert.EqualValues(t, 12, result.Steps)
	assert.Equal(t, b.path("given"), result.Folder.Dir())
	assert.NoDirExists(t, b.path("unused"))
	assert.True(t, result.Folder.Info().Ended.IsZero(), "there is more to do")
	assert.Equal(t, "v1", result.Folder.Info().Version)
}

// bfloat16 convolutions learn as well.
func TestTrainInBFloat16(t *testing.T) {
	b := newBench(t)
	b.config.Train.Epochs, b.config.Train.Width, b.config.Run.Precision = 8, 4, "bfloat16"
	result := mustTrain(t, b.job("train"))
	assert.Greater(t, classOf(result.Evaluation).Top1, 50.0)
	assert.Equal(t, "bfloat16", result.Folder.Info().Precision)
}

// Images put aside choose the network: the best one on them is kept, and measured once on
// the test images. The rest learns by Adam, at a rate that falls at milestones.
func TestTrainWithValidation(t *testing.T) {
	b := newBench(t)
	change := func(c *config.Config) {
		c.Data.ValidationImages, c.Train.Epochs = 50, 4
		c.Train.Optimizer, c.Train.LR, c.Train.Milestones, c.Train.Decay = "adam", 0.02, []int{1, 3}, 0.1
	}
	result := mustTrain(t, b.job("train", change))
	records := b.records(t, "train")
	epochs := ofKind(records, "train_epoch")
	require.Len(t, epochs, 4)
	best, at, rates := -1.0, 0, []float64{}
	for i, r := range epochs {
		if x := number(t, r, "validation_top1"); x > best {
			best, at = x, i+1
		}
		rates = append(rates, number(t, r, "lr"))
		_, tested := r.Fields.Float("test_top1")
		assert.False(t, tested, "the test images are looked at once")
	}
	assert.InDeltaSlice(t, []float64{2e-3, 2e-3, 2e-4, 2e-4}, rates, 1e-12, "the rate of the next step")
	assert.Greater(t, best, 20.0)
	assert.EqualValues(t, 4*((trainCount-50)/20), result.Steps, "seven batches of 150 images, the rest left out")
	test := ofKind(records, "test")
	require.Len(t, test, 1)
	assert.EqualValues(t, at, number(t, test[0], "epoch"))
	assert.Equal(t, classOf(result.Evaluation).Top1, number(t, test[0], "top1"))
	assert.Equal(t, testCount, classOf(result.Evaluation).Images)

	// The best is what is read and evaluated, and a run in parts leaves the same.
	trained := mustOpen(t, b.path("train"))
	require.NotNil(t, trained.Score)
	assert.True(t, trained.Validated)
	assert.Equal(t, best, *trained.Score)
	assert.Equal(t, at, trained.Epoch)
	e, err := classes(trained.Evaluate(context.Background(), nil))
	require.NoError(t, err)
	assert.Equal(t, result.Evaluation, e)
	j := b.job("cut", change)
	j.MaxSteps = 9
	mustTrain(t, j)
	mustTrain(t, b.resume("cut"))
	b.remains(t, "train").require(t, b.remains(t, "cut"))

	_, err = Train(context.Background(), b.job("none", func(c *config.Config) { c.Data.ValidationImages = trainCount }))
	require.ErrorIs(t, err, config.ErrInvalid)
}
