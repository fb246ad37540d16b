package reproduce

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/train"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

func must(t *testing.T, o Options) *Result {
	t.Helper()
	require.NoError(t, o.Run(context.Background()))
	r, err := Collect(o.Out, o.Experiment)
	require.NoError(t, err)
	return r
}

func file(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elements...))
	require.NoError(t, err)
	return string(text)
}

// writer passes on what is written to a function.
type writer func(string)

func (w writer) Write(text []byte) (int, error) {
	w(string(text))
	return len(text), nil
}

// TestRunLeavesResults runs two rows with two seeds, and looks at all that is left.
func TestRunLeavesResults(t *testing.T) {
	o := tiny(t, "table1")
	o.Only, o.Seeds = []string{"n3", "binary"}, []int64{1, 2}
	var told strings.Builder
	o.Progress = run.NewProgress(&told)
	r := must(t, o)
	require.Len(t, r.Rows, 2)
	for _, row := range r.Rows {
		require.Len(t, row.Runs, 2)
		require.Equal(t, 2, row.Top1.N)
		var accuracies []float64
		for i, one := range row.Runs {
			require.True(t, one.Ended)
			require.Equal(t, int64(i+1), one.Seed)
			require.Equal(t, filepath.Join(o.Out, "table1", row.Name, "seed-"+string(rune('1'+i))), one.Dir)
			require.EqualValues(t, 10, one.Steps, "2 epochs of 100 images in batches of 20")
			// The accuracy is that of the run's own evaluation.
			var e classify.Evaluation
			require.NoError(t, json.Unmarshal([]byte(file(t, one.Dir, train.EvaluationFile)), &e))
			require.Equal(t, e.Top1, one.Top1)
			require.Equal(t, e.Parameters, one.Parameters)
			accuracies = append(accuracies, e.Top1)
		}
		require.Equal(t, Summarize(accuracies), row.Top1)
	}
	require.Regexp(t, `table1 n3 seed 1: top-1 [0-9.]+ % in [0-9a-z.]+, 1 of 4 runs, about`, told.String())
	require.Contains(t, told.String(), "reproduce table1: 8 epochs in")

	drawings, err := r.Write(o.Out)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(o.Out, "table1", "table1.svg")}, drawings)
	require.Contains(t, file(t, drawings[0]), "</svg>")
	var again Result
	require.NoError(t, json.Unmarshal([]byte(file(t, o.Out, "table1", ResultsJSON)), &again))
	require.Equal(t, r.Rows[0].Top1, again.Rows[0].Top1)
	lines, err := csv.NewReader(strings.NewReader(file(t, o.Out, "table1", ResultsCSV))).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, 5)
	require.Equal(t, "n3", lines[1][1])
	text := file(t, o.Out, "table1", ResultsMarkdown)
	require.Contains(t, text, "| SpikeDHS-CLA (n3) | three nodes a cell |")
	require.Contains(t, text, r.Rows[0].Top1.String())
	require.Contains(t, text, "![")

	// The folder is taken; with --resume nothing is left to do.
	require.ErrorIs(t, o.Check(), run.ErrExists)
	require.ErrorIs(t, o.Run(context.Background()), run.ErrExists)
	before := file(t, r.Rows[0].Runs[0].Dir, run.InfoFile)
	o.Resume = true
	require.Equal(t, r.Rows, must(t, o).Rows)
	require.Equal(t, before, file(t, r.Rows[0].Runs[0].Dir, run.InfoFile))

	// Another scale or other settings are not what was begun.
	other := o
	other.Set = append(o.Set[:len(o.Set):len(o.Set)], "train.lr=0.1")
	require.ErrorIs(t, other.Check(), config.ErrInvalid)

	// Another experiment uses the run that it has in common with this one.
	fig := o
	fig.Experiment, fig.Only, fig.Seeds, fig.Resume = "fig4", []string{"n3"}, []int64{2}, false
	shared := must(t, fig)
	require.Equal(t, r.Rows[0].Runs[1].Dir, shared.Rows[0].Runs[0].Dir)
	require.NoDirExists(t, filepath.Join(o.Out, "fig4", "n3"))

	names, err := Found(o.Out)
	require.NoError(t, err)
	require.Equal(t, []string{"table1", "fig4"}, names)
	_, err = Found(t.TempDir())
	require.ErrorIs(t, err, run.ErrNotRun)
	_, err = Collect(o.Out, "table3")
	require.ErrorIs(t, err, run.ErrNotRun)
}

// besideWhole are options of two rows, and the same elsewhere that were run to their end.
func besideWhole(t *testing.T) (o, whole Options) {
	t.Helper()
	o = tiny(t, "table1")
	o.Only = []string{"n3", "binary"}
	whole = o
	whole.Out = t.TempDir()
	must(t, whole)
	return o, whole
}

// TestResume ends an experiment after its first run and goes on: what is left is what
// an experiment without interruption leaves.
func TestResume(t *testing.T) {
	o, whole := besideWhole(t)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o.Progress = run.NewProgress(writer(func(text string) {
		if strings.Contains(text, "1 of 2 runs") {
			cancel()
		}
	}))
	require.ErrorIs(t, o.Run(ctx), train.ErrInterrupted)
	half, err := Collect(o.Out, "table1")
	require.NoError(t, err)
	require.Equal(t, 1, half.Rows[0].Top1.N)
	require.Equal(t, 0, half.Rows[1].Top1.N)
	var table strings.Builder
	require.NoError(t, half.Text(&table))
	require.Contains(t, table.String(), "binary neuron")
	first := file(t, o.Out, "table1", "n3", "seed-1", run.InfoFile)

	o.Resume, o.Progress = true, nil
	must(t, o)
	require.Equal(t, first, file(t, o.Out, "table1", "n3", "seed-1", run.InfoFile), "an ended run is not repeated")
	for _, row := range o.Only {
		requireSame(t, filepath.Join(whole.Out, "table1", row, "seed-1"), filepath.Join(o.Out, "table1", row, "seed-1"))
	}
}

// requireSame compares what the seed decides of two runs.
func requireSame(t *testing.T, want, have string) {
	t.Helper()
	strip := func(dir string) string {
		return regexp.MustCompile(`,"wall":\{.*`).ReplaceAllString(file(t, dir, run.MetricsFile), "}")
	}
	require.Equal(t, strip(want), strip(have))
	checkpoint := filepath.Join(run.CheckpointDir, train.CheckpointFile)
	require.True(t, file(t, want, checkpoint) == file(t, have, checkpoint), "checkpoints differ")
}

// TestResumeInsideOfARun goes on with a run that was interrupted in its middle, and
// begins one anew that was killed before its first checkpoint.
func TestResumeInsideOfARun(t *testing.T) {
	o, whole := besideWhole(t)

	o.Seeds, o.Data = []int64{1}, "fashion-mnist"
	p, err := o.plan()
	require.NoError(t, err)
	require.Len(t, p.tasks, 2)
	_, err = train.Train(context.Background(), train.Job{Config: p.tasks[0].Config, Out: p.tasks[0].Dir, MaxSteps: 7})
	require.NoError(t, err)
	_, err = run.Create(p.tasks[1].Dir, p.tasks[1].Config, run.Info{})
	require.NoError(t, err)
	at, err := p.tasks[0].state()
	require.NoError(t, err)
	require.Equal(t, begun, at)

	must(t, o)
	for _, row := range o.Only {
		requireSame(t, filepath.Join(whole.Out, "table1", row, "seed-1"), filepath.Join(o.Out, "table1", row, "seed-1"))
	}
	require.Contains(t, file(t, p.tasks[0].Dir, run.InfoFile), `"resumed"`)

	// What somebody else put there is not removed.
	require.NoError(t, os.RemoveAll(p.tasks[0].Dir))
	require.NoError(t, os.MkdirAll(p.tasks[0].Dir, 0o755))
	note := filepath.Join(p.tasks[0].Dir, "note.txt")
	require.NoError(t, os.WriteFile(note, []byte("mine"), 0o644))
	o.Resume = true
	require.ErrorIs(t, o.Run(context.Background()), ErrRuns)
	require.FileExists(t, note)
}

// TestSearchIsPartOfTheExperiment searches a cell and trains it and a random one.
func TestSearchIsPartOfTheExperiment(t *testing.T) {
	o := tiny(t, "search")
	o.Only = []string{"searched", "random-02"}
	r := must(t, o)
	require.True(t, r.Search.Ended)
	require.Equal(t, r.Search.Genotype, r.Rows[0].Genotype, "the searched cell was trained")
	g, err := genotype.Load(filepath.Join(o.Out, "search", "genotypes", "random-02.json"))
	require.NoError(t, err)
	require.Equal(t, g.Hash(), r.Rows[1].Genotype)
	require.FileExists(t, filepath.Join(o.Out, "search", "genotypes", "random-02.svg"))
	var text strings.Builder
	require.NoError(t, r.Text(&text))
	require.Contains(t, text.String(), "Mean over the 1 random cell:")
	require.Contains(t, text.String(), "found: n0 = ")
}

// TestWorkEndsWithItsInput: a worker whose program is gone saves and ends.
func TestWorkEndsWithItsInput(t *testing.T) {
	o := tiny(t, "table1")
	o.Only, o.Seeds, o.Data = []string{"n3"}, []int64{1}, "fashion-mnist"
	o.Set = append(o.Set, "train.epochs=500")
	p, err := o.plan()
	require.NoError(t, err)
	one, err := o.order(p.tasks[0], fresh)
	require.NoError(t, err)
	in, out := io.Pipe()
	ended := make(chan error)
	progress := run.NewProgress(writer(func(text string) {
		if strings.Contains(text, "train 1/500") {
			_ = out.Close()
		}
	}))
	go func() { ended <- Work(context.Background(), in, nil, progress) }()
	require.NoError(t, json.NewEncoder(out).Encode(one))
	require.ErrorIs(t, <-ended, train.ErrInterrupted)
	at, err := p.tasks[0].state()
	require.NoError(t, err)
	require.Equal(t, begun, at)

	require.ErrorIs(t, Work(context.Background(), strings.NewReader("no JSON"), nil, nil), config.ErrInvalid)
}

func TestComplaint(t *testing.T) {
	require.Equal(t, "the disk is full", complaint("train 1/2: 3\nspikedhs: the disk is full\n", "exit status 1"))
	require.Equal(t, "exit status 1", complaint("", "exit status 1"))
	require.Equal(t, "the worker crashed: runtime/cgo: pthread_create failed: Operation not permitted",
		complaint("train 1/2: 3\nruntime/cgo: pthread_create failed: Operation not permitted\nSIGABRT: abort\nrax 0x0\ngs 0x0\n", "exit status 2"))
}
