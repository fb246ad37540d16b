package reproduce

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/train/run"
)

var update = flag.Bool("update", false, "write the golden files in testdata")

// made is a result as two or three seeds would leave it, with numbers that are made
// up here.
func made(t *testing.T, experiment string) *Result {
	t.Helper()
	e, err := FindExperiment(experiment)
	require.NoError(t, err)
	r := &Result{
		Experiment: e.Name, Title: e.Title, About: e.About, Scale: "small", Data: "fashion-mnist", Seeds: []int64{1, 2, 3},
		Settings: []string{"preset fashion-mnist-demo", "train.epochs=3"}, Command: []string{"spikedhs", "reproduce", e.Name, "--set", "train.lr=0.04"},
		Machine: Machine{"cpu", 1, "bfloat16", "1.13.1", "v1", "abc"},
	}
	if experiment == "stereo" {
		r.Data, r.Settings[0] = events, "preset stereo-synthetic"
	}
	for i, row := range e.Rows {
		one := RowResult{Name: row.Name, Label: row.Label, About: row.About, Settings: row.Settings, Paper: row.Paper}
		var accuracies []float64
		for seed := int64(1); seed <= 3; seed++ {
			o := Outcome{
				Seed: seed, Dir: "x", Ended: row.Name != "n4" || seed < 3, Top1: 85 + float64(i)/4 + float64(seed*seed)/10,
				Parameters: 100_000 + int64(i), Steps: 600, Seconds: 90, timeSteps: 2,
				Activity: &Activity{
					FiringRate: 0.125, Dense: 4e6, Additions: 1e6, MACs: 2e5, Energy: 0.00182, ANNEnergy: 0.0182, Ratio: 10,
					Neurons: []NeuronActivity{{"stem", 0.1 * float64(seed)}, {"cell0_n0", 0.05}},
				},
			}
			for number := 1.0; number <= 2; number++ {
				o.epochs = append(o.epochs, epoch{
					number: number, top1: 80 + number + float64(seed), tested: true,
					gradient: map[string]float64{"stem0": number / 100}, support: map[string]float64{"stem0": 0.5},
				})
			}
			if experiment == "stereo" {
				o.Metrics = map[string]any{"mean_disparity_error_px": 0.5 + float64(seed)/8, "near_zero": int64(2)}
			}
			if row.DGS {
				o.SearchPasses = 90
				o.phases = []phase{
					{1, 45, []phaseLayer{{"stem0", 3, 2.8}}},
					{2, 45, []phaseLayer{{"stem0", 2.8, 2.4}}},
				}
			}
			if o.Ended {
				accuracies = append(accuracies, o.Top1)
			}
			one.Runs = append(one.Runs, o)
		}
		one.Top1 = Summarize(accuracies)
		r.Rows = append(r.Rows, one)
	}
	if experiment == "search" {
		r.Search = &SearchOutcome{Dir: "x", Ended: true, Genotype: "012", Cells: []string{"n0 = b3(s0) + skip(s1)"}, Seconds: 120}
	}
	return r
}

// TestGolden compares the documents of all experiments with stored ones.
func TestGolden(t *testing.T) {
	for _, name := range ExperimentNames() {
		r := made(t, name)
		var got bytes.Buffer
		require.NoError(t, r.Markdown(&got, "results-"))
		got.WriteString("\n----\n\n")
		require.NoError(t, r.Text(&got))
		path := filepath.Join("testdata", name+".golden")
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(path, got.Bytes(), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err, "run go test -update")
		require.Equal(t, string(want), got.String())
	}
}

// TestNumbersOfTables computes a few numbers of the tables in another way.
func TestNumbersOfTables(t *testing.T) {
	r := made(t, "table1")
	table := accuracyTable(r)
	require.Len(t, table.Rows, len(r.Rows))
	n4, n3 := table.Rows[0], table.Rows[1]
	require.Equal(t, "85.25 ± 0.21 (2)", n4[5], "one of three runs is missing: 85.1 and 85.4")
	// 85.35, 85.65 and 86.15: mean 85.7167, squares 0.1344 + 0.0044 + 0.1878.
	require.Equal(t, "85.72 ± 0.40", n3[5])
	require.InDelta(t, 0.4041, r.Rows[1].Top1.Deviation, 1e-4)
	require.Equal(t, "95.35 ± 0.05", n3[6])
	require.Equal(t, "90", table.Rows[2][4], "DGS passes")

	r = made(t, "table3")
	line := surrogateTables(r)[0].Rows[0]
	require.Equal(t, "+0.25 ± 0.00", line[3], "the rows differ by a quarter for each seed")
	r.Rows[1].Runs = r.Rows[1].Runs[1:2]
	require.Equal(t, "+0.25", surrogateTables(r)[0].Rows[0][3], "one seed has both")

	r.Data = cifar10
	require.NotContains(t, strings.Join(accuracyTable(made(t, "fig4")).Notes, " "), "NaN")
}

func TestFigures(t *testing.T) {
	for name, want := range map[string][]string{
		"table1": {"table1"}, "table3": {"table3"}, "search": {"search"}, "stereo": {"stereo"},
		"fig4": {"fig4-temperature", "fig4-gradient", "fig4-accuracy"}, "fig5": {"fig5-n3", "fig5-n4"},
	} {
		r := made(t, name)
		figures, err := r.Figures()
		require.NoError(t, err)
		require.Equal(t, want, names(figures, func(f Figure) string { return f.Name }))
		// Before anything has ended there is nothing to draw, and no error.
		for i := range r.Rows {
			r.Rows[i].Runs, r.Rows[i].Top1 = nil, Summary{}
		}
		figures, err = r.Figures()
		require.NoError(t, err)
		require.Empty(t, figures)
		var text bytes.Buffer
		require.NoError(t, r.Markdown(&text, ""))
		require.NotContains(t, text.String(), "NaN")
	}
}

func TestUpdate(t *testing.T) {
	document := filepath.Join(t.TempDir(), "results.md")
	require.NoError(t, os.WriteFile(document, []byte("# Title\n\n<!-- reproduce table1 -->\nold\n<!-- end of table1 -->\n\nkept\n"), 0o644))
	r := made(t, "table1")
	require.NoError(t, Update(document, r))
	text := file(t, document)
	require.True(t, strings.HasPrefix(text, "# Title\n\n<!-- reproduce table1 -->\n\n"))
	require.True(t, strings.HasSuffix(text, "\n<!-- end of table1 -->\n\nkept\n"))
	require.NotContains(t, text, "old")
	require.Contains(t, text, "](img/results-table1.svg)")
	require.FileExists(t, filepath.Join(filepath.Dir(document), "img/results-table1.svg"))
	require.NoError(t, Update(document, r))
	require.Equal(t, text, file(t, document), "the second time changes nothing")

	err := Update(document, made(t, "fig5"))
	require.ErrorContains(t, err, "<!-- reproduce fig5 -->")
	require.Equal(t, text, file(t, document))
}

// TestRecords reads records as a training writes them.
func TestRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), run.MetricsFile)
	m, err := run.CreateMetrics(path)
	require.NoError(t, err)
	for i := range 2 {
		if i == 1 { // a phase of two layers
			for _, layer := range []string{"stem0", "cell2.node0"} {
				require.NoError(t, m.Log("dgs", run.F("epoch", i), run.F("step", 10), run.F("layer", layer), run.F("before", 3), run.F("after", 2.6),
					run.F("shares", []float64{0.2, 0.8}), run.F("network_passes", 45), run.F("layer_passes", 75)))
			}
		}
		require.NoError(t, m.Log("train_epoch", run.F("epoch", i+1), run.F("step", 10*(i+1)), run.F("test_top1", 50.5+float64(i))))
		require.NoError(t, m.Log("layer_epoch", run.F("epoch", i+1), run.F("layer", "stem0"), run.F("gradient_norm", 0.25), run.F("support", 0.5)))
	}
	require.NoError(t, m.Log("of another kind", run.F("step", 99)))
	require.NoError(t, m.Close())
	records, err := run.ReadMetrics(path)
	require.NoError(t, err)
	var o Outcome
	require.NoError(t, o.read(records))
	require.EqualValues(t, 20, o.Steps)
	require.Len(t, o.epochs, 2)
	require.Equal(t, 51.5, o.epochs[1].top1)
	require.Equal(t, map[string]float64{"stem0": 0.25}, o.epochs[0].gradient)
	require.EqualValues(t, 45, o.SearchPasses, "the numbers of a phase stand in the record of each layer")
	require.EqualValues(t, 75, o.LayerPasses)
	require.Len(t, o.phases, 1)
	require.Equal(t, []string{"cell2.node0", "stem0"}, o.searched())
	require.Equal(t, "3, 2.6", o.temperatures("stem0"))
}
