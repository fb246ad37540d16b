package bench

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
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

const complete = `{"kind": "Training", "unit": "images/s", "what": "F = 48", "machine": "EPYC", "libtorch": "2.4.1", "date": "2026-11-24"`

// docs/benchmarks.md is what the command writes from docs/results/benchmarks.jsonl.
func TestBenchmarksDocument(t *testing.T) {
	file, err := os.Open("../../docs/results/benchmarks.jsonl")
	require.NoError(t, err)
	defer file.Close()
	records, err := ReadRecords(file)
	require.NoError(t, err)
	want, err := os.ReadFile("../../docs/benchmarks.md")
	require.NoError(t, err)
	copied := filepath.Join(t.TempDir(), "benchmarks.md")
	require.NoError(t, os.WriteFile(copied, want, 0o600))
	require.NoError(t, UpdateDocument(copied, records))
	have, err := os.ReadFile(copied)
	require.NoError(t, err)
	require.Equal(t, string(want), string(have), "spikedhs bench table --update docs/benchmarks.md docs/results/benchmarks.jsonl")
}

func TestTables(t *testing.T) {
	records, err := ReadRecords(strings.NewReader(complete + `, "batch": 8, "ours": 10.5, "others": [{"impl": "python", "rate": 5, "ratio": 2.1}]}
		{"kind": "Loader", "unit": "images/s", "what": "a|b", "machine": "EPYC", "libtorch": "2.4.1", "date": "2026-11-24", "memory_mb": 7}
		` + complete + `, "others": [{"impl": "other", "memory_ratio": 0.5}], "note": "late"}`))
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, WriteTables(&b, records))
	require.Equal(t, `**Training (images/s)**

| what | machine | libtorch | date | batch | ours | python | ours over it | memory over it | note |
|---|---|---|---|---:|---:|---:|---:|---:|---|
| F = 48 | EPYC | 2.4.1 | 2026-11-24 | 8 | 10.5 | 5 | 2.1x |  |  |
| F = 48 | EPYC | 2.4.1 | 2026-11-24 |  |  |  |  | 0.5x | late |

**Loader (images/s)**

| what | machine | libtorch | date | peak MB |
|---|---|---|---|---:|
| a\|b | EPYC | 2.4.1 | 2026-11-24 | 7 |
`, b.String())
	document := filepath.Join(t.TempDir(), "a.md")
	require.NoError(t, os.WriteFile(document, []byte("head\n"+tablesBegin+"\n"), 0o600))
	require.ErrorContains(t, UpdateDocument(document, records), tablesEnd)
	require.ErrorIs(t, UpdateDocument(document+"x", records), os.ErrNotExist)
}

func TestReadRecordsRefuses(t *testing.T) {
	for _, text := range []string{`{`, `{"kind": "a"}`, complete + `, "speed": 1}`, complete + `} 7`} {
		_, err := ReadRecords(strings.NewReader(text))
		require.ErrorIs(t, err, ErrRecord, text)
	}
}

func FuzzReadRecords(f *testing.F) {
	f.Add(complete + "}")
	f.Fuzz(func(t *testing.T, text string) {
		records, err := ReadRecords(strings.NewReader(text))
		if err == nil {
			require.NoError(t, WriteTables(&strings.Builder{}, records))
		}
	})
}
