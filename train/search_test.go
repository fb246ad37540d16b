package train

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
)

// alphas and weights of a checkpoint, by name.
func (b *bench) saved(t *testing.T, name, prefix string) map[string][]float32 {
	t.Helper()
	j := Job{Out: b.path(name)}
	c, err := readCheckpoint(j.checkpointPath())
	require.NoError(t, err)
	defer c.close()
	list := map[string][]float32{}
	for key, x := range c.group(prefix) {
		values, err := torch.ToSlice[float32](x)
		require.NoError(t, err)
		list[key] = values
	}
	return list
}

// fresh are the variables that a search starts from.
func (b *bench) fresh(t *testing.T) (alphas, weights map[string][]float32) {
	t.Helper()
	j := b.job("unused").withDefaults()
	m, err := setUp(j.Config)
	require.NoError(t, err)
	p := searcherOf(t, &j, m)
	defer p.close()
	read := func(v *torch.Variables) map[string][]float32 {
		list := map[string][]float32{}
		for _, x := range v.All() {
			values, err := torch.ToSlice[float32](x.Value)
			require.NoError(t, err)
			list[x.Name] = values
		}
		return list
	}
	return read(p.net.Architecture()), read(p.net.Weights())
}

// searcherOf begins the search of a job.
func searcherOf(t *testing.T, j *Job, m machine) *searcher {
	t.Helper()
	require.NoError(t, j.begin())
	problem, err := j.task.Open(context.Background(), j.Config, task.Search, nil)
	require.NoError(t, err)
	p, err := newSearcher(j, m, problem)
	require.NoError(t, err)
	return p
}

func TestSearchFindsAGenotype(t *testing.T) {
	b := newBench(t)
	b.config.Search.Epochs = 4
	found := mustSearch(t, b.job("search"))
	require.NoError(t, found.Genotype.Validate())
	assert.Equal(t, genotype.DownsampleReduction, found.Genotype.Downsample())
	assert.Equal(t, 2, found.Genotype.Normal().Nodes)
	assert.Equal(t, "searched on mnist", found.Genotype.Name)
	assert.Equal(t, "search on mnist, 4 epochs, seed 7", found.Genotype.Origin)

	loaded, err := genotype.Load(found.Folder.Path(run.GenotypeFile))
	require.NoError(t, err)
	assert.Equal(t, found.Genotype, loaded)
	assert.Contains(t, string(b.file(t, "search", DrawingSVG)), "<svg")
	assert.Contains(t, string(b.file(t, "search", DrawingDOT)), "digraph")

	// It is what the saved alphas decode to.
	alphas := b.saved(t, "search", "architecture")
	for name, cell := range map[string]genotype.Cell{"alpha.normal": loaded.Normal(), "alpha.reduction": *loaded.Reduction()} {
		var rows [][]float64
		for row := range slices.Chunk(alphas[name], genotype.NumOps) {
			rows = append(rows, []float64{float64(row[0]), float64(row[1]), float64(row[2])})
		}
		want, err := genotype.DecodeCell(rows, 2)
		require.NoError(t, err)
		assert.Equal(t, want, cell, name)
	}
	// So are those that the last epoch recorded.
	epochs := ofKind(b.records(t, "search"), "search_epoch")
	for key, cell := range map[string]genotype.Cell{"alpha": loaded.Normal(), "alpha_reduction": *loaded.Reduction()} {
		var rows [][]float64
		require.NoError(t, epochs[3].Fields.Decode(key, &rows))
		recorded, err := genotype.DecodeCell(rows, 2)
		require.NoError(t, err)
		assert.Equal(t, cell, recorded, key)
	}
	// And it can be trained.
	result := mustTrain(t, b.job("train", func(c *config.Config) {
		c.Train.Genotype, c.Train.Epochs = found.Folder.Path(run.GenotypeFile), 1
	}))
	assert.Equal(t, loaded, result.Genotype)

	folder, err := run.Open(b.path("search"))
	require.NoError(t, err)
	assert.False(t, folder.Info().Ended.IsZero())
	assert.Equal(t, "float32", folder.Info().Precision)
	assert.Equal(t, 1, folder.Info().Threads)
}

func TestSearchRecords(t *testing.T) {
	b := newBench(t)
	mustSearch(t, b.job("search"))
	list := b.records(t, "search")
	var kinds []string
	for _, r := range list {
		kinds = append(kinds, r.Kind)
	}
	// 100 images of set A in batches of 20 make 5 steps an epoch.
	assert.Equal(t, []string{"search_epoch", "search_step", "search_epoch", "search_epoch"}, kinds)
	epochs := ofKind(list, "search_epoch")
	common := []string{"alpha", "alpha_entropy", "alpha_reduction", "epoch", "genotype", "loss", "lr", "normal", "reduction", "skip_share", "step", "top1"}
	assert.Equal(t, common, slices.Sorted(maps.Keys(epochs[0].Fields)), "warm-up")
	withAlpha := append([]string{"alpha_loss", "alpha_top1"}, common...)
	slices.Sort(withAlpha)
	for i, r := range epochs {
		if i > 0 {
			assert.Equal(t, withAlpha, slices.Sorted(maps.Keys(r.Fields)))
		}
		assert.Equal(t, float64(i+1), number(t, r, "epoch"))
		assert.Equal(t, float64(5*(i+1)), number(t, r, "step"))
		assert.Contains(t, r.Wall, "images_per_s")
		var equations []string
		require.NoError(t, r.Fields.Decode("normal", &equations))
		assert.Len(t, equations, 2)
	}
	assert.InDelta(t, 0.1*0.75, number(t, epochs[0], "lr"), 1e-12, "a third of half a cosine")
	assert.Zero(t, number(t, epochs[2], "lr"))
	assert.InDelta(t, 1, number(t, epochs[0], "alpha_entropy"), 1e-3, "undecided")
	assert.Less(t, number(t, epochs[2], "loss"), number(t, epochs[0], "loss"))
	steps := ofKind(list, "search_step")
	assert.Equal(t, []string{"loss", "step"}, slices.Sorted(maps.Keys(steps[0].Fields)))
	assert.Equal(t, 10.0, number(t, steps[0], "step"))
	hash, ok := epochs[2].Fields.Text("genotype")
	require.True(t, ok)
	g, err := genotype.Load(b.path("search/genotype.json"))
	require.NoError(t, err)
	assert.Equal(t, g.Hash(), hash)
}

// The warm-up trains the weights alone; after it both move.
func TestWarmUpLeavesAlphaAlone(t *testing.T) {
	b := newBench(t)
	b.config.Search.Epochs, b.config.Search.WarmupEpochs = 3, 2
	alphas, weights := b.fresh(t)

	j := b.job("warm")
	j.MaxSteps = 10 // two epochs
	mustSearch(t, j)
	assert.Equal(t, alphas, b.saved(t, "warm", "architecture"))
	warm := b.saved(t, "warm", "weights")
	assert.NotEqual(t, weights["stem.conv.weight"], warm["stem.conv.weight"])
	for name, moment := range b.saved(t, "warm", "architecture_optimizer") {
		assert.Zero(t, slices.Max(moment), name)
	}

	j = b.resume("warm")
	j.MaxSteps = 11 // one step more
	mustSearch(t, j)
	after := b.saved(t, "warm", "architecture")
	for name := range alphas {
		assert.NotEqual(t, alphas[name], after[name], name)
	}
}

// pace is the Adam step of alpha: its first one has the size of alpha_lr.
func TestFirstStepOfAlphaHasItsRate(t *testing.T) {
	b := newBench(t)
	b.config.Search.WarmupEpochs, b.config.Search.AlphaWeightDecay = 0, 0
	alphas, _ := b.fresh(t)
	j := b.job("one")
	j.MaxSteps = 1
	mustSearch(t, j)
	after := b.saved(t, "one", "architecture")
	for name := range alphas {
		for i := range alphas[name] {
			d := after[name][i] - alphas[name][i]
			assert.InDelta(t, b.config.Search.AlphaLR, max(d, -d), 1e-3, "%s %d", name, i)
		}
	}
}

// Sets A and B are disjoint halves, and an epoch shows each image once.
func TestSearchSplitsTheImages(t *testing.T) {
	for _, images := range []int{0, 90} {
		b := newBench(t)
		b.config.Search.Images = images
		b.config.Search.Batch = 5
		j := b.job("unused").withDefaults()
		m, err := setUp(j.Config)
		require.NoError(t, err)
		p := searcherOf(t, &j, m)
		a, second := shown(t, p.onA.loader), shown(t, p.onB.loader)
		p.close()
		half := trainCount / 2
		if images > 0 {
			half = images / 2
		}
		assert.Len(t, a, half)
		assert.Len(t, second, half)
		for i := range a {
			assert.False(t, second[i], "image %d is in both sets", i)
		}
	}
}

// shown lists which training pictures an epoch of a loader shows.
func shown(t *testing.T, l *task.Loader) map[int]bool {
	t.Helper()
	index := map[string]int{}
	for i, p := range trainPictures() {
		index[fmt.Sprint(p.pixels)] = i
	}
	mean, std, err := data.Normalization("mnist")
	require.NoError(t, err)
	seen := map[int]bool{}
	batches := l.Epoch(context.Background(), 0, 0)
	defer batches.Close()
	for range l.Batches() {
		b, err := batches.Next()
		require.NoError(t, err)
		for i := range b.N {
			var p picture
			for k := range p.pixels {
				p.pixels[k] = byte((b.Inputs[0][i*len(p.pixels)+k]*std[0]+mean[0])*255 + 0.5)
			}
			at, ok := index[fmt.Sprint(p.pixels)]
			require.True(t, ok, "not a training picture")
			assert.False(t, seen[at], "image %d is shown twice", at)
			assert.EqualValues(t, at%10, b.Labels[i])
			seen[at] = true
		}
	}
	return seen
}

// One genotype behind a nearest resize has one alpha and no reduction cell.
func TestSearchOfOneCell(t *testing.T) {
	b := newBench(t)
	found := mustSearch(t, b.job("search", func(c *config.Config) {
		c.Network.Downsample, c.Run.Name, c.Search.Steps, c.Search.Mixing = "nearest", "one cell", 1, "membrane"
	}))
	assert.Nil(t, found.Genotype.Reduction())
	assert.Equal(t, "one cell", found.Genotype.Name)
	assert.Len(t, b.saved(t, "search", "architecture"), 1)
	for _, r := range ofKind(b.records(t, "search"), "search_epoch") {
		assert.NotContains(t, r.Fields, "reduction")
	}
}

// A search whose cells are all skips stops early where that is wished.
func TestSearchStopsOnSkips(t *testing.T) {
	b := newBench(t)
	b.config.Search.Epochs, b.config.Search.SkipLimit = 4, 1e-6
	found := mustSearch(t, b.job("search", func(c *config.Config) { c.Search.AlphaInit = 5 })) // decided from the start
	share := (genotype.SkipShare(found.Genotype.Normal()) + genotype.SkipShare(*found.Genotype.Reduction())) / 2
	require.Positive(t, share, "the seed gives a genotype with skips")
	assert.Len(t, ofKind(b.records(t, "search"), "search_epoch"), 2, "the warm-up does not count")
}
