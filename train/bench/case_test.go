package bench

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGridDefaultsAreThePapersNetworks(t *testing.T) {
	for task, want := range map[Task]struct {
		nodes  int
		widths []int
	}{Train: {3, []int{48}}, Infer: {3, []int{48}}, Search: {4, []int{8, 16}}} {
		cases, err := Grid{Task: task, Precision: "float32", Device: "cpu", Threads: []int{2}}.Cases()
		require.NoError(t, err)
		require.Len(t, cases, len(want.widths))
		for i, c := range cases {
			assert.Equal(t, Case{Task: task, Setting: Setting{
				Impl: Ours, Precision: "float32", Batch: 8, Width: want.widths[i], Steps: 6, Nodes: want.nodes,
				Size: 32, Threads: 2, Device: "cpu",
			}}, c)
		}
	}
}

func TestGridIsAllCombinations(t *testing.T) {
	cases, err := Grid{Task: Train, Batches: []int{8, 32}, Widths: []int{4, 8}, Steps: []int{2, 4}, Sizes: []int{8, 16}, Threads: []int{1, 2}, Device: "cpu"}.Cases()
	require.NoError(t, err)
	require.Len(t, cases, 32)
	distinct := map[Case]bool{}
	for _, c := range cases {
		distinct[c] = true
	}
	assert.Len(t, distinct, 32)
	assert.Equal(t, 1, cases[0].Threads)
	assert.Equal(t, 2, cases[1].Threads)
	assert.Equal(t, 32, cases[31].Batch)
}

func TestCasesThatCannotBe(t *testing.T) {
	for name, change := range map[string]func(*Case){
		"batch 0":          func(c *Case) { c.Batch = 0 },
		"width -1":         func(c *Case) { c.Width = -1 },
		"steps 0":          func(c *Case) { c.Steps = 0 },
		"threads 0":        func(c *Case) { c.Threads = 0 },
		"size 4":           func(c *Case) { c.Size = 4 },
		"size 30":          func(c *Case) { c.Size = 30 },
		"nodes 4":          func(c *Case) { c.Nodes = 4 },
		`precision "half"`: func(c *Case) { c.Precision = "half" },
		`task "sleep"`:     func(c *Case) { c.Task = "sleep" },
	} {
		c := tiny(Train)
		require.NoError(t, c.Validate())
		change(&c)
		err := c.Validate()
		require.ErrorIs(t, err, ErrCase, name)
		assert.ErrorContains(t, err, name)
	}
	_, err := Grid{Task: Train, Device: "abacus"}.Cases()
	require.ErrorIs(t, err, ErrCase)
}

func TestMedianAndSpread(t *testing.T) {
	assert.Equal(t, 3.0, median([]float64{9, 1, 3}))
	assert.Equal(t, 2.5, median([]float64{4, 1, 2, 3}))
	assert.Equal(t, 7.0, median([]float64{7}))
	assert.InDelta(t, 8.0/3, spread([]float64{9, 1, 3}), 1e-12)
	assert.Zero(t, spread([]float64{7}))
	samples := []float64{3, 1, 2}
	median(samples)
	assert.Equal(t, []float64{3, 1, 2}, samples, "left as they were")
}

func TestPair(t *testing.T) {
	ours, other := tiny(Train).row(), tiny(Train).as(PythonPerStep).row()
	ours.Rate, ours.PeakRSSMB, other.Rate, other.PeakRSSMB = 30, 500, 10, 1000
	pair, ok := ours.over(other)
	require.True(t, ok)
	assert.Equal(t, 3.0, pair.Ratio)
	assert.Equal(t, 0.5, pair.MemoryRatio)
	other.Rate = 0
	_, ok = ours.over(other)
	assert.False(t, ok)
}

// The keys that readers of the JSON lines count on.
func TestRowKeys(t *testing.T) {
	row := tiny(Train).row()
	row.Rate, row.Samples = 2, []float64{2}
	text, err := json.Marshal(row)
	require.NoError(t, err)
	assert.JSONEq(t, `{"bench":"train","impl":"spikedhs","precision":"float32","batch":2,"width":4,"steps":2,"nodes":3,
		"size":8,"threads":1,"device":"cpu","rate_per_s":2,"spread":0,"samples":[2],"peak_rss_mb":0,"torch":""}`, string(text))
}

func TestStepsOfASample(t *testing.T) {
	assert.Equal(t, 4, stepsFor(2, 0.5))
	assert.Equal(t, 1, stepsFor(2, 50), "at least one")
	assert.Equal(t, 2, stepsFor(0, 1), "two seconds by default")
	assert.Equal(t, mostSteps, stepsFor(2, 0))
}
