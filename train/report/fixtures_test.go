package report

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// started is when the runs of the tests began.
var started = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

// newRun makes a run folder without any result.
func newRun(t testing.TB, dir string, sets ...string) *run.Folder {
	t.Helper()
	c, err := config.Load("", sets)
	require.NoError(t, err)
	f, err := run.Create(dir, c, run.Info{
		Version: "v1.2.3", Git: "0123456789abcdef", Go: "go1.24.0", Libtorch: "2.6.0", Device: "cpu", Precision: "float32",
		Threads: 4, Started: started, Command: []string{"spikedhs", "train", "--set", "run.name=two words"},
	})
	require.NoError(t, err)
	return f
}

// end marks a run as finished.
func end(t testing.TB, f *run.Folder) {
	t.Helper()
	require.NoError(t, f.MarkEnded(started.Add(90*time.Minute)))
}

// cell returns a cell of three nodes that differs by variant.
func cell(t testing.TB, variant int) genotype.Cell {
	t.Helper()
	rows := [][2]int{{0, 1}, {1, 2}, {3, 1}, {2, 2}, {8, 1}, {5, 0}}
	for i := range rows {
		if variant>>i&1 == 1 {
			rows[i][1] = (rows[i][1] + 1) % genotype.NumOps
		}
	}
	c, err := genotype.NewCell(rows)
	require.NoError(t, err)
	return c
}

// addGenotype writes the genotype of a run.
func addGenotype(t testing.TB, f *run.Folder, variant int) genotype.Genotype {
	t.Helper()
	reduction := cell(t, variant+5)
	g, err := genotype.New("searched on fashion-mnist", cell(t, variant), &reduction)
	require.NoError(t, err)
	g.Origin = "search on fashion-mnist, seed 1"
	require.NoError(t, g.Save(f.Path(run.GenotypeFile)))
	return g
}

// lines collects records of a metrics file whose clock is made up.
type lines struct{ strings.Builder }

func (l *lines) add(t testing.TB, kind string, seconds float64, fields map[string]any) {
	t.Helper()
	record := map[string]any{"kind": kind, "wall": map[string]any{
		"seconds": seconds, "rss_mb": 900 + 3*math.Sqrt(seconds), "images_per_s": 210 + 14*math.Sin(seconds/37),
	}}
	for key, value := range fields {
		record[key] = value
	}
	text, err := json.Marshal(record)
	require.NoError(t, err)
	l.Write(append(text, '\n'))
}

func (l *lines) save(t testing.TB, f *run.Folder) {
	t.Helper()
	require.NoError(t, os.WriteFile(f.Path(run.MetricsFile), []byte(l.String()), 0o600))
}

// addTraining writes the records of a training that learns.
func addTraining(t testing.TB, f *run.Folder, epochs int) {
	t.Helper()
	var l lines
	c := f.Config().Train
	for e := 1; e <= epochs; e++ {
		done := float64(e) / float64(c.Epochs)
		noise := 0.6 * math.Sin(float64(e)*2.7)
		fields := map[string]any{
			"epoch": e, "step": 1200 * e, "loss": 0.18 + 0.9*math.Exp(-7*done), "top1": 96 - 34*math.Exp(-6*done) + noise/3,
			"lr": c.LR * (1 + math.Cos(math.Pi*done)) / 2,
		}
		if e%c.EvalEvery == 0 || e == c.Epochs {
			fields["test_loss"] = 0.29 + 0.7*math.Exp(-6*done) - noise/60
			fields["test_top1"] = 91.5 - 30*math.Exp(-5*done) + noise
			fields["test_top5"] = 99.8 - 4*math.Exp(-5*done)
		}
		l.add(t, trainEpoch, 54.3*float64(e), fields)
	}
	l.save(t, f)
}

// addSearch writes the records of a search that changes its mind.
func addSearch(t testing.TB, f *run.Folder, epochs int) {
	t.Helper()
	var l lines
	for e := 1; e <= epochs; e++ {
		done := float64(e) / float64(f.Config().Search.Epochs)
		variant := int(math.Sqrt(float64(max(0, e-f.Config().Search.WarmupEpochs)))) % 7
		normal, reduction := cell(t, variant), cell(t, 2*variant+5)
		g, err := genotype.New("decoded", normal, &reduction)
		require.NoError(t, err)
		fields := map[string]any{
			"epoch": e, "step": 600 * e, "loss": 0.4 + 1.2*math.Exp(-4*done), "top1": 85 - 50*math.Exp(-4*done),
			"lr": 0.025 * (1 + math.Cos(math.Pi*done)) / 2, "alpha_entropy": 1 - 0.3*done*done,
			"skip_share": float64(variant%4) / 12, "genotype": g.Hash(),
			"normal": normal.Equations(), "reduction": reduction.Equations(),
		}
		if e > f.Config().Search.WarmupEpochs {
			fields["alpha_loss"] = 0.5 + 1.1*math.Exp(-4*done)
			fields["alpha_top1"] = 83 - 48*math.Exp(-4*done)
		}
		l.add(t, searchEpoch, 31.7*float64(e), fields)
	}
	l.save(t, f)
}

var garments = []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}

// addEvaluation writes an evaluation with a confusion matrix of the given size.
func addEvaluation(t testing.TB, f *run.Folder, classes int) classify.Evaluation {
	t.Helper()
	e := classify.Evaluation{Top5: 99.71, Loss: 0.2893, Parameters: 1_234_567}
	right := 0
	for i := range classes {
		name := fmt.Sprintf("class %d", i)
		if classes == len(garments) {
			name = garments[i]
		}
		e.Classes = append(e.Classes, name)
		counts := make([]int, classes)
		counts[i] = 1000
		for j := range classes {
			if wrong := 60 / (1 + (i-j)*(i-j)*(i%3+1)); j != i {
				counts[j] += wrong
				counts[i] -= wrong
			}
		}
		right += counts[i]
		e.Images += 1000
		e.Confusion = append(e.Confusion, counts)
	}
	e.Top1 = 100 * float64(right) / float64(e.Images)
	text, err := json.Marshal(e)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(f.Path(evaluationFile), text, 0o600))
	return e
}

// demoRun makes what the demo leaves: a finished short training with its search.
func demoRun(t testing.TB, dir string) *run.Folder {
	t.Helper()
	f := newRun(t, dir, "run.name=demo", "train.epochs=2", "train.width=8", "data.pad=2")
	addTraining(t, f, 2)
	addGenotype(t, f, 2)
	addEvaluation(t, f, len(garments))
	require.NoError(t, os.WriteFile(f.Path(run.ModelFile), make([]byte, 345_678), 0o600))
	end(t, f)
	inner := newRun(t, filepath.Join(dir, searchDir), "search.epochs=3", "search.warmup_epochs=1")
	addSearch(t, inner, 3)
	addGenotype(t, inner, 2)
	end(t, inner)
	return f
}

// longRun makes a training of a hundred epochs.
func longRun(t testing.TB, dir string, sets ...string) *run.Folder {
	t.Helper()
	f := newRun(t, dir, append([]string{"run.name=long", "train.epochs=100", "train.genotype=spikedhs-cla-n3"}, sets...)...)
	addTraining(t, f, 100)
	addGenotype(t, f, 9)
	addEvaluation(t, f, len(garments))
	end(t, f)
	return f
}
