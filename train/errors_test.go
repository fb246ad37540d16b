package train

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
)

func writeFile(path string, content []byte) error { return os.WriteFile(path, content, 0o644) }

// A folder that is taken is left as it was.
func TestRunInATakenFolder(t *testing.T) {
	b := newBench(t)
	require.NoError(t, os.Mkdir(b.path("taken"), 0o755))
	require.NoError(t, writeFile(b.path("taken/notes.txt"), []byte("mine")))
	mustTrain(t, b.job("run", func(c *config.Config) { c.Train.Epochs = 1 }))
	before := snapshot(t, b.dir)
	for kind, start := range runs {
		for _, name := range []string{"taken", "run"} {
			err := start(context.Background(), b.job(name))
			require.ErrorIs(t, err, run.ErrExists, kind)
			assert.ErrorContains(t, err, "--resume")
		}
	}
	assert.Equal(t, before, snapshot(t, b.dir))
}

func TestResumeNeedsARun(t *testing.T) {
	b := newBench(t)
	for kind, start := range runs {
		require.ErrorIs(t, start(context.Background(), b.resume("nowhere")), run.ErrNotRun, kind)
		require.ErrorIs(t, start(context.Background(), b.resume("images")), run.ErrNotRun, kind)
	}
	_, err := Open(context.Background(), b.path("nowhere"), "", "")
	require.ErrorIs(t, err, run.ErrNotRun)
}

// A resumed run keeps its configuration; one that is given must agree.
func TestResumeWithOtherSettings(t *testing.T) {
	b := newBench(t)
	for kind, start := range runs {
		j := b.job(kind)
		j.MaxSteps = 2
		require.NoError(t, start(context.Background(), j))
		before := snapshot(t, b.path(kind))
		j = b.job(kind, func(c *config.Config) { c.Train.LR, c.Network.Steps = 0.7, 3 })
		j.Resume = true
		err := start(context.Background(), j)
		require.ErrorIs(t, err, config.ErrInvalid)
		assert.ErrorContains(t, err, "network.steps, train.lr;")
		assert.Equal(t, before, snapshot(t, b.path(kind)))

		j = b.job(kind)
		j.Resume, j.MaxSteps = true, 3
		require.NoError(t, start(context.Background(), j), "the same settings agree")
	}
}

// Checkpoints that cannot be used are refused, and the run stays as it was.
func TestUnusableCheckpoints(t *testing.T) {
	b := newBench(t)
	fill := map[string]func(*config.Config){"": nil, "wide": func(c *config.Config) { c.Train.Width, c.Search.Width = 5, 5 }}
	for suffix, change := range fill {
		for kind, start := range runs {
			j := b.job(kind + suffix)
			if change != nil {
				j = b.job(kind+suffix, change)
			}
			j.MaxSteps = 2
			require.NoError(t, start(context.Background(), j))
		}
	}
	good := map[string][]byte{}
	for _, name := range []string{"search", "train", "searchwide", "trainwide"} {
		good[name] = b.file(t, name, run.CheckpointDir, CheckpointFile)
	}
	other := map[string]string{"search": "train", "train": "search"}
	for kind, start := range runs {
		path := b.path(filepath.Join(kind, run.CheckpointDir, CheckpointFile))
		for text, content := range map[string][]byte{
			"is of another architecture":  good[kind+"wide"],
			"run, not to a":               good[other[kind]],
			"is cut short":                good[kind][:len(good[kind])-100],
			"header":                      good[kind][:100],
			"no header":                   {},
			"was not written by spikedhs": []byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"),
			"use a newer one":             []byte(strings.Replace(string(good[kind]), `\"format\":1,`, `\"format\":9,`, 1)),
			"are not in the file":         []byte(strings.Replace(string(good[kind]), "stem.conv.bias", "stem.conv.bios", 1)),
			"no generator state":          []byte(strings.Replace(string(good[kind]), "generator.state", "generator.stats", 1)),
		} {
			require.NoError(t, writeFile(path, content))
			before := snapshot(t, b.path(kind))
			err := start(context.Background(), b.resume(kind))
			require.ErrorIs(t, err, ErrCheckpoint, text)
			assert.ErrorContains(t, err, text)
			assert.ErrorContains(t, err, path)
			assert.Equal(t, before, snapshot(t, b.path(kind)))
			if kind == "train" && text != "no generator state" {
				_, err := Open(context.Background(), b.path(kind), "", "")
				require.ErrorIs(t, err, ErrCheckpoint, text)
			}
		}
		require.NoError(t, os.Remove(path))
		err := start(context.Background(), b.resume(kind))
		require.ErrorIs(t, err, ErrCheckpoint)
		assert.ErrorContains(t, err, "does not exist")
	}
	_, err := Open(context.Background(), b.path("train"), "", "")
	require.ErrorIs(t, err, ErrCheckpoint)
	_, err = Open(context.Background(), b.path("search"), "", "")
	require.Error(t, err, "a search has no trained network")
}

// A training that diverges says so, with the key that helps, and wherever it is
// noticed: at a record, at the end of an epoch, or when a checkpoint is due. The
// last good checkpoint stays.
func TestDivergence(t *testing.T) {
	for kind, start := range runs {
		for name, change := range map[string]func(*Job){
			"at a record":       func(j *Job) { j.Config.Train.Batch, j.Config.Search.Batch = 5, 5 },
			"at an epoch's end": func(*Job) {},
			"after a few steps": func(j *Job) { j.MaxSteps = 4 },
		} {
			t.Run(kind+" "+name, func(t *testing.T) {
				b := newBench(t)
				j := b.job("run", func(c *config.Config) { c.Train.LR, c.Search.LR, c.Train.Clip, c.Search.Clip = 1e38, 1e38, 0, 0 })
				change(&j)
				err := start(context.Background(), j)
				require.ErrorContains(t, err, "diverged")
				assert.ErrorContains(t, err, "lower "+kind+".lr")
				assert.NoFileExists(t, b.path("run/checkpoints/"+CheckpointFile))
			})
		}
	}
}

func TestReadingsThatAreNoNumbers(t *testing.T) {
	for _, loss := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		assert.ErrorContains(t, reading{Loss: loss}.checkFinite("train"), "try a lower train.lr or a train.clip")
	}
	assert.NoError(t, reading{Loss: 1e30}.checkFinite("train"))
}

func TestGenotypesThatCannotBeTrained(t *testing.T) {
	b := newBench(t)
	_, err := Train(context.Background(), b.job("run", func(c *config.Config) { c.Train.Genotype = "" }))
	require.ErrorIs(t, err, config.ErrInvalid)
	assert.ErrorContains(t, err, genotype.PresetClassificationN3)
	_, err = Train(context.Background(), b.job("run", func(c *config.Config) { c.Train.Genotype = "spikedhs-cla-n9" }))
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, `"spikedhs-cla-n9"`)
	assert.ErrorContains(t, err, "a preset: "+genotype.PresetClassificationN3)
	_, err = Train(context.Background(), b.job("run", func(c *config.Config) { c.Train.Genotype = b.path("none.json") }))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, writeFile(b.path("bad.json"), []byte(`{"format": "spikedhs-genotype"}`)))
	_, err = Train(context.Background(), b.job("run", func(c *config.Config) { c.Train.Genotype = b.path("bad.json") }))
	require.ErrorIs(t, err, genotype.ErrInvalid)
	assert.NoDirExists(t, b.path("run"))
}

// Data and devices that are not there are noticed before a folder is made.
func TestWhatIsMissing(t *testing.T) {
	b := newBench(t)
	for kind, start := range runs {
		err := start(context.Background(), b.job("run", func(c *config.Config) { c.Data.Path = b.path("nowhere") }))
		require.ErrorIs(t, err, data.ErrNotFound, kind)
		err = start(context.Background(), b.job("run", func(c *config.Config) { c.Run.Device = "cuda:99" }))
		require.ErrorIs(t, err, config.ErrInvalid, kind)
		assert.ErrorContains(t, err, "run.device")
		err = start(context.Background(), b.job("run", func(c *config.Config) { c.Train.Batch, c.Search.Batch = 1000, 1000 }))
		if err == nil { // a set smaller than a batch is one batch
			assert.DirExists(t, b.path("run"))
			require.NoError(t, os.RemoveAll(b.path("run")))
		}
	}
	assert.NoDirExists(t, b.path("run"))
}

// A run computes with its own number of threads.
func TestThreadsOfTheConfiguration(t *testing.T) {
	b := newBench(t)
	before := torch.Threads()
	t.Cleanup(func() { require.NoError(t, torch.SetThreads(before)) })
	m, err := setUp(b.config)
	require.NoError(t, err)
	assert.Equal(t, 1, m.threads)
	assert.Equal(t, 1, torch.Threads())
}

// A resumed run keeps the precision that "auto" chose when it began.
func TestPrecision(t *testing.T) {
	b := newBench(t)
	assert.Equal(t, search.Float32, task.Precision("float32", torch.CPU()))
	assert.Equal(t, search.BFloat16, task.Precision("bfloat16", torch.CPU()))
	want, other := search.Float32, search.BFloat16
	if torch.FastBFloat16() {
		want, other = other, want
	}
	assert.Equal(t, want, task.Precision("auto", torch.CPU()))

	j := b.job("run", func(c *config.Config) { c.Run.Precision = "auto" })
	j.MaxSteps = 1
	mustTrain(t, j)
	text := strings.Replace(string(b.file(t, "run", run.InfoFile)), string(want), string(other), 1)
	require.NoError(t, writeFile(b.path("run/"+run.InfoFile), []byte(text)))
	again := b.resume("run")
	require.NoError(t, again.resumeConfig())
	m, err := again.setUp()
	require.NoError(t, err)
	assert.Equal(t, other, m.precision)
}

// inFolders writes the pictures of a bench as PNG files in class folders, three times
// as large, and some that are no pictures, and makes them the bench's data.
func (b *bench) inFolders(t *testing.T) {
	t.Helper()
	for split, list := range map[string][]picture{"train": trainPictures(), "val": testPictures()} {
		for k, p := range list {
			img := image.NewGray(image.Rect(0, 0, 3*side, 3*side))
			for i := range img.Pix {
				img.Pix[i] = p.pixels[i/img.Stride/3*side+i%img.Stride/3]
			}
			var file bytes.Buffer
			require.NoError(t, png.Encode(&file, img))
			if k == 33 {
				file.Truncate(50)
			}
			dir := filepath.Join(b.dir, "folders", split, fmt.Sprintf("class%d", p.label))
			require.NoError(t, os.MkdirAll(dir, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.png", k)), file.Bytes(), 0o644))
		}
	}
	d := &b.config.Data
	d.Name, d.Path, d.Size, d.MaxCorrupt = "image-folder", b.path("folders"), 10, 0.05
}

// Search, training, evaluation and resuming work on files as on images in memory.
func TestImageFolder(t *testing.T) {
	b := newBench(t)
	b.inFolders(t)
	var log bytes.Buffer
	j := b.job("one", busy, func(c *config.Config) { c.Data.Workers = 1 })
	j.Log = slog.New(slog.NewTextHandler(&log, nil))
	result := mustTrain(t, j)
	assert.Contains(t, log.String(), filepath.Join("train", "class3", "033.png"))
	assert.Contains(t, log.String(), "split=train unreadable=1 files=200")
	assert.Contains(t, log.String(), "split=test unreadable=1 files=60")
	assert.Equal(t, testCount, classOf(result.Evaluation).Images)

	stopped := b.job("two", busy, func(c *config.Config) { c.Data.Workers, c.Data.Prefetch = 5, 1 })
	stopped.MaxSteps = 13
	mustTrain(t, stopped)
	mustTrain(t, b.resume("two"))
	b.remains(t, "one").require(t, b.remains(t, "two"))

	trained := mustOpen(t, b.path("one"))
	e, err := classes(trained.Evaluate(context.Background(), nil))
	require.NoError(t, err)
	assert.Equal(t, classOf(result.Evaluation).Top1, e.Top1)

	mustSearch(t, b.job("search"))
}

func TestImageFolderMistakes(t *testing.T) {
	b := newBench(t)
	b.inFolders(t)
	_, err := Train(context.Background(), b.job("strict", func(c *config.Config) { c.Data.MaxCorrupt = 0 }))
	require.ErrorIs(t, err, data.ErrFormat)
	assert.ErrorContains(t, err, "033.png")
	_, err = Train(context.Background(), b.job("resident", func(c *config.Config) { c.Data.Resident = "on" }))
	require.ErrorIs(t, err, config.ErrInvalid)
	_, err = Train(context.Background(), b.job("grey", func(c *config.Config) { c.Data.Mean, c.Data.Std = []float64{0.5}, []float64{0.5} }))
	require.ErrorContains(t, err, "1 means and 1 standard deviations for 3 channels")
}
