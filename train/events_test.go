package train

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/data/events"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// newEventBench is a bench of recordings that saccades make of the bench's pictures.
func newEventBench(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	saccade := events.NMNISTSaccade()
	saccade.Side, saccade.Samples, saccade.Threshold, saccade.Floor = 12, 10, 0.6, 0.3 // above the noise
	for _, split := range []data.Split{data.Train, data.Test} {
		images, err := data.Open(context.Background(), "mnist", b.config.Data.Path, split)
		require.NoError(t, err)
		require.NoError(t, data.WriteSaccades(context.Background(), images, b.path("recordings"), split, saccade, nil))
	}
	b.config.Data.Name, b.config.Data.Path = "event-folder", b.path("recordings")
	b.config.Data.Sensor, b.config.Data.Size = []int{12, 12}, 8
	b.config.Network.Steps = 3
	require.NoError(t, b.config.Validate())
	return b
}

// From recordings to an exported model that names the class of a recording.
func TestTrainOnEvents(t *testing.T) {
	b := newEventBench(t)
	result := mustTrain(t, b.job("run", func(c *config.Config) { c.Train.Epochs, c.Train.Width = 12, 6 }))
	assert.Greater(t, classOf(result.Evaluation).Top1, 40.0, "ten classes that a glance tells apart")

	trained := mustOpen(t, b.path("run"))
	require.True(t, networkOf(trained).Options.Temporal)
	assert.Equal(t, 2, networkOf(trained).Options.Channels)
	e, err := classes(trained.Evaluate(context.Background(), nil))
	require.NoError(t, err)
	assert.Equal(t, classOf(result.Evaluation).Top1, e.Top1)

	path := b.path("model.pt")
	require.NoError(t, trained.Network.Export(path, "test", nil))
	agreement := check(t, trained, path, 1000)
	assert.Equal(t, testCount, agreement.Images)

	m, err := classify.LoadModel(path, torch.CPU())
	require.NoError(t, err)
	defer m.Close()
	assert.Equal(t, &classify.EventInput{
		Order: "N,T,C,H,W", Slices: "time", Stack: "binary", Sensor: [2]int{12, 12}, Size: 8, Columns: "auto",
	}, m.Info.Events)
	assert.Equal(t, []int{2, 3, 2, 8, 8}, []int{m.Info.Format, m.Info.Steps, m.Info.Channels, m.Info.Height, m.Info.Width})
	o, err := m.Info.EventOptions()
	require.NoError(t, err)
	set, err := data.OpenEvents(context.Background(), "event-folder", b.config.Data.Path, data.Test, o)
	require.NoError(t, err)
	var pixels []float32
	var labels []int
	right := 0
	for i := range set.Len() {
		stack, err := data.StackFile(set.File(i), set.Name(), set.Options())
		require.NoError(t, err)
		label, err := set.Image(i, make([]byte, len(stack)))
		require.NoError(t, err)
		labels = append(labels, label)
		for _, v := range stack {
			pixels = append(pixels, o.Kind.Levels()[v])
		}
	}
	guesses, err := m.Classify(pixels)
	require.NoError(t, err)
	for i, list := range guesses {
		if list[0].Index == labels[i] {
			right++
		}
	}
	assert.InDelta(t, e.Top1, 100*float64(right)/float64(set.Len()), 1e-9)
	_, err = m.Classify(pixels[:100])
	assert.ErrorContains(t, err, "3 x 2 x 8 x 8")

	// The model of images says so.
	_, err = classify.ModelInfo{Dataset: "mnist"}.EventOptions()
	assert.ErrorIs(t, err, classify.ErrModel)
}

// The set on the device, more workers, and an interruption change nothing.
func TestEventRunsAreReproducible(t *testing.T) {
	b := newEventBench(t)
	busyOnEvents := func(c *config.Config) {
		c.Train.CropPadding, c.Train.Flip, c.Train.Cutout, c.Train.AuxiliaryWeight, c.Train.Epochs = 1, true, 3, 0.4, 2
		c.Data.Stack, c.Data.Events = "ternary", "count"
	}
	mustTrain(t, b.job("plain", busyOnEvents))
	mustTrain(t, b.job("resident", busyOnEvents, func(c *config.Config) { c.Data.Resident = "on" }))
	want := b.remains(t, "plain")
	assert.True(t, want.checkpoint == b.remains(t, "resident").checkpoint, "on the device")

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	j := b.job("cut", busyOnEvents)
	j.Progress = onProgress("train 2/2", "5/10", cancel)
	_, err := Train(ctx, j)
	require.ErrorIs(t, err, ErrInterrupted)
	mustTrain(t, b.resume("cut"))
	want.require(t, b.remains(t, "cut"))
}

func TestSearchOnEvents(t *testing.T) {
	b := newEventBench(t)
	found := mustSearch(t, b.job("search", func(c *config.Config) {
		c.Search.Epochs, c.Search.WarmupEpochs, c.Search.Steps, c.Data.Stack = 2, 1, 2, "counts"
	}))
	require.NoError(t, found.Genotype.Validate())
	text, err := json.Marshal(found.Genotype)
	require.NoError(t, err)
	assert.Contains(t, string(text), "normal")
}

func TestEventMistakes(t *testing.T) {
	b := newEventBench(t)
	_, err := Train(context.Background(), b.job("a", func(c *config.Config) { c.Data.Sensor = nil }))
	assert.ErrorContains(t, err, "data.sensor = [width, height]")
	_, err = Train(context.Background(), b.job("b", func(c *config.Config) { c.Data.Path = b.path("nowhere") }))
	assert.ErrorIs(t, err, data.ErrNotFound)
}
