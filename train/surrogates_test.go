package train

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/dgs"
	"github.com/spikedhs/spikedhs/spike"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// searching turns the search of surrogates on: after every epoch, and longer than an
// epoch has batches.
func searching(c *config.Config) {
	busy(c)
	c.Network.Head = "rate"
	c.DGS.Layers, c.DGS.Every, c.DGS.Iterations = []string{"stem0", "cell1.node0"}, 1, 12
	c.DGS.Watch = []string{"cell0"}
}

func texts(t *testing.T, list []run.Record, key string) (all []string) {
	t.Helper()
	for _, r := range list {
		text, ok := r.Fields.Text(key)
		require.True(t, ok)
		all = append(all, text)
	}
	return all
}

func TestTrainSearchesSurrogates(t *testing.T) {
	b := newBench(t)
	result := mustTrain(t, b.job("train", searching))
	list := b.records(t, "train")
	phases := ofKind(list, "dgs")
	assert.Equal(t, []string{"stem0", "cell1.node0", "stem0", "cell1.node0"}, texts(t, phases, "layer"), "before the second and the third epoch")
	keys := []string{"after", "before", "chosen", "epoch", "iterations", "layer", "layer_passes", "network_passes", "shares", "step", "temperatures"}
	moved := false
	last := map[string]float64{}
	for i, r := range phases {
		assert.Equal(t, keys, slices.Sorted(maps.Keys(r.Fields)))
		assert.Contains(t, r.Wall, "search_seconds")
		assert.EqualValues(t, 1+i/2, number(t, r, "epoch"))
		assert.EqualValues(t, 10*(1+i/2), number(t, r, "step"))
		assert.EqualValues(t, 12*2, number(t, r, "network_passes"), "one for the gradient at the spikes, one mixed")
		assert.EqualValues(t, 12*5*2, number(t, r, "layer_passes"))
		var shares, temperatures []float64
		require.NoError(t, r.Fields.Decode("shares", &shares))
		require.NoError(t, r.Fields.Decode("temperatures", &temperatures))
		sum := 0.0
		for _, share := range shares {
			sum += share
		}
		assert.InDelta(t, 1, sum, 1e-9)
		chosen := int(number(t, r, "chosen"))
		assert.Equal(t, slices.Max(shares), shares[chosen])
		assert.InDelta(t, temperatures[chosen], number(t, r, "after"), 1e-5)
		layer := texts(t, phases[i:i+1], "layer")[0]
		if i >= 2 {
			assert.Equal(t, last[layer], number(t, r, "before"))
		} else {
			assert.Equal(t, 3.0, number(t, r, "before"))
		}
		last[layer] = number(t, r, "after")
		moved = moved || number(t, r, "after") != number(t, r, "before")
	}
	assert.True(t, moved)

	epochs := ofKind(list, "layer_epoch")
	watched := []string{"stem0", "cell0.node0", "cell0.node1", "cell1.node0"}
	require.Equal(t, slices.Concat(watched, watched, watched), texts(t, epochs, "layer"))
	for i, r := range epochs {
		assert.EqualValues(t, 1+i/4, number(t, r, "epoch"))
		assert.Positive(t, number(t, r, "gradient_norm"))
		for _, key := range []string{"support", "useless", "firing_rate"} {
			assert.True(t, number(t, r, key) >= 0 && number(t, r, key) <= 1, key)
		}
		assert.LessOrEqual(t, 1-number(t, r, "support"), number(t, r, "useless")+1e-6)
	}

	// The checkpoint has the temperatures, and opening it brings them back.
	trained := mustOpen(t, b.path("train"))
	for layer, want := range last {
		layers, err := trained.Network.SpikingLayers(layer)
		require.NoError(t, err)
		have, err := layers[0].TemperatureValue()
		require.NoError(t, err)
		assert.Equal(t, want, have, layer)
	}
	assert.EqualValues(t, 30, result.Steps, "iterations of a search are no steps")

	all := ""
	for path, text := range snapshot(t, b.path("train")) {
		if strings.Contains(path, "events.out.tfevents") {
			all += text
		}
	}
	for _, tag := range []string{"dgs/stem0/temperature", "dgs/cell1.node0/share_4", "layers/cell0.node1/gradient_norm", "layers/stem0/support"} {
		assert.Contains(t, all, tag, "TensorBoard")
	}
}

// A search that may not move a temperature leaves the training as it is: weights,
// statistics, momentum and random numbers.
func TestASearchLeavesTheTrainingAlone(t *testing.T) {
	for _, estimate := range []string{"repeat", "direct"} {
		b := newBench(t)
		off := func(c *config.Config) { searching(c); c.DGS.Layers = []string{}; c.DGS.Watch = []string{} }
		mustTrain(t, b.job("without", off))
		mustTrain(t, b.job("with", searching, func(c *config.Config) {
			c.DGS.Min, c.DGS.Max, c.DGS.Estimate, c.DGS.Iterations = 3, 3, estimate, 3
		}))
		tensors := func(name string) map[string][]float32 {
			c, err := readCheckpoint(b.path(name + "/" + run.CheckpointDir + "/" + CheckpointFile))
			require.NoError(t, err)
			defer c.close()
			all := map[string][]float32{}
			for key, x := range c.tensors {
				if key != "generator.state" {
					all[key], err = torch.ToSlice[float32](x)
					require.NoError(t, err, key)
				}
			}
			return all
		}
		assert.Equal(t, tensors("without"), tensors("with"))
		assert.Equal(t, texts(t, ofKind(b.records(t, "with"), "dgs"), "layer"), []string{"stem0", "cell1.node0", "stem0", "cell1.node0"})
	}
}

// Interruptions of a search of surrogates, anywhere and several, do not show in what is
// left at the end.
func TestResumeInASearchOfSurrogatesIsExact(t *testing.T) {
	type stop struct{ label, count string }
	auto := func(c *config.Config) { searching(c); c.DGS.Layers, c.DGS.AutoLayers = []string{"auto"}, 2 }
	repeat := func(c *config.Config) {
		searching(c)
		c.DGS.Estimate, c.DGS.Iterations = "repeat", 4
		c.Train.Mixing, c.DGS.Layers = "spike", []string{"cell0.node0"}
	}
	for kind, c := range map[string]struct {
		change func(*config.Config)
		stops  map[string][]stop
	}{
		"direct": {searching, map[string][]stop{
			"before its first iteration": {{"dgs 2/3", "0/12"}},
			"where its batches wrap":     {{"dgs 2/3", "10/12"}},
			"after its last iteration":   {{"dgs 2/3", "12/12"}},
			"several times":              {{"dgs 2/3", "1/12"}, {"dgs 2/3", "11/12"}, {"train 2/3", "3/10"}, {"dgs 3/3", "7/12"}, {"train 3/3", "10/10"}},
		}},
		"auto":     {auto, map[string][]stop{"several times": {{"dgs 2/3", "0/12"}, {"dgs 2/3", "2/12"}, {"dgs 3/3", "9/12"}}}},
		"repeated": {repeat, map[string][]stop{"twice": {{"dgs 2/3", "2/4"}, {"dgs 3/3", "3/4"}}}},
	} {
		b := newBench(t)
		mustTrain(t, b.job("whole", c.change))
		for name, stops := range c.stops {
			t.Run(kind+" "+name, func(t *testing.T) {
				j := b.job(name, c.change)
				for _, at := range stops {
					ctx, cancel := context.WithCancel(context.Background())
					j.Progress = onProgress(at.label, at.count, cancel)
					_, err := Train(ctx, j)
					require.ErrorIs(t, err, ErrInterrupted, "%v", at)
					j = b.resume(name)
				}
				mustTrain(t, j)
				b.remains(t, "whole").require(t, b.remains(t, name))
				assert.NotEmpty(t, ofKind(b.records(t, name), "dgs"))
			})
		}
	}
}

func TestSearchOfSurrogatesInParts(t *testing.T) {
	b := newBench(t)
	mustTrain(t, b.job("whole", searching))
	j := b.job("steps", searching)
	for _, steps := range []int64{9, 10, 11, 20, 0} {
		j.MaxSteps = steps
		mustTrain(t, j)
		j = b.resume("steps")
	}
	b.remains(t, "whole").require(t, b.remains(t, "steps"))
}

// Steps that are recorded and replayed see the temperatures that a search sets; the
// search itself goes one operator at a time.
func TestRecordedStepsWithASearchOfSurrogates(t *testing.T) {
	b := newBench(t)
	short := func(c *config.Config) { searching(c); c.DGS.Iterations = 3 }
	mustTrain(t, b.job("plain", short))
	var replays, closed int
	j := b.job("recorded", short, func(c *config.Config) { c.Data.Resident = "on" })
	j.record = func(work func() error) (replayer, error) { return tape{work, &replays, &closed}, nil }
	mustTrain(t, j)
	b.remains(t, "plain").require(t, b.remains(t, "recorded"))
	assert.Equal(t, 30-recordAfter, replays)
}

// Checkpoints in time are written in a search too, and change nothing.
func TestCheckpointsInASearchOfSurrogates(t *testing.T) {
	b := newBench(t)
	often := func(c *config.Config) { searching(c); c.Train.CheckpointMinutes = 1e-9 }
	j := b.job("crash", often)
	var middle []byte
	j.Progress = onProgress("dgs 2/3", "8/12", func() { middle = b.file(t, "crash", run.CheckpointDir, CheckpointFile) })
	mustTrain(t, j)
	want := b.remains(t, "crash")
	require.NotEmpty(t, middle)
	require.NoError(t, writeFile(j.checkpointPath(), middle))
	saved, err := readCheckpoint(j.checkpointPath())
	require.NoError(t, err)
	assert.Equal(t, 7, saved.at.Surrogates.Search.Iteration)
	require.NoError(t, saved.close())
	mustTrain(t, b.resume("crash"))
	want.require(t, b.remains(t, "crash"))
}

// Auto takes the layers that the readings of the whole network name as worst.
func TestAutoChoosesTheWorstLayers(t *testing.T) {
	b := newBench(t)
	mustTrain(t, b.job("auto", searching, func(c *config.Config) {
		c.DGS.Layers, c.DGS.Watch, c.DGS.AutoLayers, c.DGS.Iterations, c.DGS.First, c.DGS.Every = []string{"auto"}, []string{}, 2, 2, 2, 5
	}))
	list := b.records(t, "auto")
	chosen := texts(t, ofKind(list, "dgs"), "layer")
	require.Len(t, chosen, 2, "one search, of two layers")
	assert.EqualValues(t, 2, number(t, ofKind(list, "dgs")[0], "epoch"))
	useless := map[string]float64{}
	for _, r := range ofKind(list, "layer_epoch") {
		if number(t, r, "epoch") == 2 {
			useless[texts(t, []run.Record{r}, "layer")[0]] = number(t, r, "useless")
		}
	}
	require.Len(t, useless, 5, "all are watched")
	better := 0
	for name, share := range useless {
		if !slices.Contains(chosen, name) && share > useless[chosen[0]]+0.1 && share > useless[chosen[1]]+0.1 {
			better++
		}
	}
	assert.Zero(t, better, "%v of %v", chosen, useless)
}

func TestUnknownLayersAreToldAtTheStart(t *testing.T) {
	b := newBench(t)
	for key, change := range map[string]func(*config.Config){
		"dgs.layers":    func(c *config.Config) { c.DGS.Layers = []string{"stem0", "cell7.node0"} },
		"dgs.watch":     func(c *config.Config) { c.DGS.Watch = []string{"cell7.node0"} },
		"smaller delta": func(c *config.Config) { c.DGS.Layers = []string{"stem0"}; c.Network.Temperature = 0.3 },
	} {
		_, err := Train(context.Background(), b.job("wrong", change))
		require.ErrorIs(t, err, config.ErrInvalid, key)
		assert.ErrorContains(t, err, key)
		if strings.HasPrefix(key, "dgs") {
			assert.ErrorIs(t, err, dgs.ErrUnknownLayer)
			assert.ErrorContains(t, err, "stem0, cell0.node0, cell0.node1, cell1.node0")
		}
		assert.NotContains(t, err.Error(), "\n")
		assert.NoDirExists(t, b.path("wrong"))
	}
}

// network.surrogate knows every family that is built in, and reaches all neurons
// of search and training.
func TestEveryFamilyIsAConfiguration(t *testing.T) {
	own, err := spike.Register("of-train", func(x, b float64) float64 { return b / (1 + b*b*x*x) })
	require.NoError(t, err)
	for _, family := range spike.Families() {
		c := config.Default()
		c.Network.Surrogate = family.String()
		require.NoError(t, c.Validate(), family)
		for _, o := range []search.Options{
			classify.TrainOptions(c, 1, 10, search.Float32), classify.SearchOptions(c, 1, 10, search.Float32),
		} {
			assert.Equal(t, family, o.Neuron.Surrogate)
			assert.NoError(t, o.Validate())
		}
	}
	assert.Contains(t, spike.Families(), own)

	c := config.Default()
	assert.Equal(t, spike.DefaultSurrogate, classify.TrainOptions(c, 1, 10, search.Float32).Neuron.Surrogate)
	c.Network.Surrogate = "go:nobody"
	require.NoError(t, c.Validate(), "only a network knows what is registered")
	o := classify.TrainOptions(c, 1, 10, search.Float32)
	assert.ErrorIs(t, o.Validate(), spike.ErrSurrogate)
}
