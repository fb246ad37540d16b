package train

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/trellis"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// layered turns the search of a bench into one of layers: three cells.
func layered(c *config.Config) {
	c.Network.Downsample, c.Network.Levels, c.Search.LayerSearch = "nearest", []int{0, 0, 0}, true
}

func TestSearchOfLayers(t *testing.T) {
	b := newBench(t)
	found := mustSearch(t, b.job("search", layered))
	g := found.Genotype
	require.NoError(t, g.Validate())
	require.True(t, g.FollowsPath())
	assert.Nil(t, g.Reduction())

	// It is what the saved alpha and beta decode to.
	saved := b.saved(t, "search", "architecture")
	require.Len(t, saved, 2)
	require.Contains(t, saved, "alpha")
	require.Contains(t, saved, "beta")
	var rows [][]float64
	for row := range slices.Chunk(saved["alpha"], genotype.NumOps) {
		rows = append(rows, []float64{float64(row[0]), float64(row[1]), float64(row[2])})
	}
	cell, err := genotype.DecodeCell(rows, 2)
	require.NoError(t, err)
	assert.Equal(t, cell, g.Normal())
	beta := make(trellis.Beta, 3)
	for i, v := range saved["beta"] {
		beta[i/12][i%12/3][i%3] = float64(v)
	}
	path, _, err := trellis.Full(3).Decode(beta)
	require.NoError(t, err)
	assert.Equal(t, path, g.Path())

	// Records: beta and the path beside alpha and the cell.
	epochs := ofKind(b.records(t, "search"), "search_epoch")
	require.Len(t, epochs, 3)
	assert.InDelta(t, 1, number(t, epochs[0], "beta_entropy"), 1e-3, "undecided in the warm-up")
	assert.Less(t, number(t, epochs[2], "beta_entropy"), number(t, epochs[0], "beta_entropy"))
	var recorded []int
	require.NoError(t, epochs[2].Fields.Decode("path", &recorded))
	assert.Equal(t, g.Path(), recorded)
	assert.Contains(t, epochs[2].Fields, "alpha_loss")
	assert.Contains(t, string(b.file(t, "search", DrawingSVG)), "level 3")

	// And it can be trained, on its path.
	result := mustTrain(t, b.job("train", func(c *config.Config) {
		c.Train.Genotype, c.Train.Epochs = found.Folder.Path(run.GenotypeFile), 1
	}))
	assert.Equal(t, g, result.Genotype)
	assert.Equal(t, g.Path(), result.Folder.Config().Network.Levels)
}

// Alpha and beta are left alone by the warm-up, and then both move by one Adam.
func TestWarmUpLeavesBetaAlone(t *testing.T) {
	b := newBench(t)
	layered(b.config)
	b.config.Search.Epochs, b.config.Search.WarmupEpochs = 2, 1
	alphas, _ := b.fresh(t)
	j := b.job("warm")
	j.MaxSteps = 5
	mustSearch(t, j)
	assert.Equal(t, alphas, b.saved(t, "warm", "architecture"))
	j = b.resume("warm")
	j.MaxSteps = 6
	mustSearch(t, j)
	after := b.saved(t, "warm", "architecture")
	for _, name := range []string{"alpha", "beta"} {
		assert.NotEqual(t, alphas[name], after[name], name)
	}
}

// Two levels instead of four, and Adam for the weights: the path stays on them, and a
// cut search leaves what a whole one does, the optimiser's state included.
func TestSearchOnTheFinestLevels(t *testing.T) {
	b := newBench(t)
	fine := func(c *config.Config) {
		layered(c)
		c.Search.TrellisLevels, c.Search.Optimizer, c.Search.AlphaInit = 2, "adam", 1
	}
	g := mustSearch(t, b.job("whole", fine)).Genotype
	assert.Less(t, slices.Max(g.Path()), 2)
	heads := map[string]bool{}
	for name := range b.saved(t, "whole", "weights") {
		if strings.HasPrefix(name, "heads.") {
			heads[name[:len("heads.0")]] = true
		}
	}
	assert.Equal(t, map[string]bool{"heads.0": true, "heads.1": true}, heads)
	j := b.job("cut", fine)
	j.MaxSteps = 8
	mustSearch(t, j)
	mustSearch(t, b.resume("cut"))
	b.remains(t, "whole").require(t, b.remains(t, "cut"))
	mustSearch(t, b.job("sgd", fine, func(c *config.Config) { c.Search.Optimizer = "sgd" }))
	assert.NotEqual(t, b.saved(t, "whole", "weights"), b.saved(t, "sgd", "weights"))
}

// A search of layers that is cut and continued leaves what a whole one does.
func TestSearchOfLayersResumes(t *testing.T) {
	b := newBench(t)
	mustSearch(t, b.job("whole", layered))
	j := b.job("cut", layered)
	j.MaxSteps = 8 // in the middle of the first epoch with steps of alpha and beta
	mustSearch(t, j)
	mustSearch(t, b.resume("cut"))
	b.remains(t, "whole").require(t, b.remains(t, "cut"))
}

func TestSearchOfLayersNeedsPixels(t *testing.T) {
	b := newBench(t)
	_, err := Search(context.Background(), b.job("small", layered, func(c *config.Config) {
		c.Network.StemStrides = []int{2} // of 8 pixels, where the name of the set says 28
	}))
	require.ErrorIs(t, err, config.ErrInvalid)
	assert.ErrorContains(t, err, "search.layer_search")
	assert.ErrorContains(t, err, "images of 8x8 leave 4x4 behind the stem; 3 layers reach level 3, which needs 8 pixels a side")
	assert.NoDirExists(t, b.path("small"))
}

// A network whose path goes up and down, searched nowhere: trained, resumed,
// evaluated, exported, and loaded again.
func TestTrainOnAPath(t *testing.T) {
	b := newBench(t)
	cell, err := genotype.NewCell([][2]int{{0, 1}, {1, 2}, {3, 1}, {4, 0}})
	require.NoError(t, err)
	g, err := genotype.NewOnPath("up and down", cell, []int{1, 2, 1, 0, 1})
	require.NoError(t, err)
	file := b.path("path.json")
	require.NoError(t, g.Save(file))
	// The configuration has other levels, and reduction cells: the genotype decides.
	with := func(c *config.Config) { busy(c); c.Train.Genotype, c.Train.Epochs = file, 2 }
	j := b.job("whole", with)
	var said strings.Builder
	j.Log = slog.New(slog.NewTextHandler(&said, nil))
	result := mustTrain(t, j)
	assert.Equal(t, []int{1, 2, 1, 0, 1}, result.Folder.Config().Network.Levels)
	assert.Equal(t, "nearest", result.Folder.Config().Network.Downsample)
	assert.Contains(t, said.String(), `msg="the levels are the path of the genotype" genotype="up and down" levels="[1 2 1 0 1]" configured_levels="[0 1]"`)
	assert.Equal(t, []int{0, 1}, j.Config.Network.Levels, "the caller's configuration is left alone")

	j = b.job("cut", with)
	j.MaxSteps = 7
	mustTrain(t, j)
	j = b.job("cut", with) // the same command with --resume
	j.Resume = true
	mustTrain(t, j)
	b.remains(t, "whole").require(t, b.remains(t, "cut"))

	trained := mustOpen(t, b.path("whole"))
	e, err := classes(trained.Evaluate(context.Background(), nil))
	require.NoError(t, err)
	assert.Equal(t, classOf(result.Evaluation).Top1, e.Top1)
	model := b.path("model.pt")
	require.NoError(t, trained.Network.Export(model, "test", &e.Top1))
	agreed := check(t, trained, model, testCount)
	assert.Equal(t, testCount, agreed.SameClass)
	assert.Zero(t, agreed.MaxDifference, "Go and TorchScript, bit for bit")

	m, err := classify.LoadModel(model, trained.Device)
	require.NoError(t, err)
	defer m.Close()
	assert.Equal(t, g, m.Info.Genotype)
	pixels := make([]float32, 0, testCount*side*side)
	right := 0
	for _, p := range testPictures() {
		for _, v := range p.pixels {
			pixels = append(pixels, float32(v)/255)
		}
	}
	guesses, err := m.Classify(pixels)
	require.NoError(t, err)
	for i, guess := range guesses {
		if guess[0].Index == testPictures()[i].label {
			right++
		}
	}
	assert.InDelta(t, e.Top1, 100*float64(right)/testCount, 2, "the model guesses as the run was evaluated")
}

// A path that is a record, in a file of version 1, changes no levels.
func TestAdoptPath(t *testing.T) {
	preset, err := genotype.Preset(genotype.PresetClassificationN3)
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	c := config.Default()
	c.Network.Levels, c.Network.Downsample = []int{0, 1}, "nearest"
	require.NoError(t, classify.Task{}.Adopt(c, preset, log))
	assert.Equal(t, []int{0, 1}, c.Network.Levels)

	g, err := genotype.NewOnPath("path", preset.Normal(), []int{1, 2, 3, 2})
	require.NoError(t, err)
	require.NoError(t, classify.Task{}.Adopt(c, g, log))
	assert.Equal(t, []int{1, 2, 3, 2}, c.Network.Levels)
	c.Network.Levels[0] = 0
	assert.Equal(t, 1, g.Path()[0], "the configuration has a copy")

	small := config.Default()
	small.Data.Name, small.Data.Size, small.Train.Cutout = "imagenet", 4, 0
	small.Network.Levels = []int{0}
	require.NoError(t, small.Validate())
	err = classify.Task{}.Adopt(small, g, log)
	require.ErrorIs(t, err, config.ErrInvalid)
	assert.ErrorContains(t, err, "train: genotype path: ")
	assert.ErrorContains(t, err, "level 3 leaves nothing", fmt.Sprint(small.Network.Levels))
}
