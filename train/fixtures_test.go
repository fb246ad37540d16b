package train

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/torch/live"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
	"github.com/spikedhs/spikedhs/train/task"
	"github.com/spikedhs/spikedhs/train/task/classify"
)

// side of the synthetic images; trainCount and testCount are their numbers.
const (
	side       = 8
	trainCount = 200
	testCount  = 60
)

// picture is the pixels and the label of an image.
type picture struct {
	pixels [side * side]byte
	label  int
}

// pictures draws images of ten classes that a glance tells apart: a bright block
// at a place of the class's own, on noise.
func pictures(n int, seed int64) []picture {
	rng := rand.New(rand.NewSource(seed))
	list := make([]picture, n)
	for i := range list {
		p := &list[i]
		p.label = i % 10
		for k := range p.pixels {
			p.pixels[k] = byte(rng.Intn(60))
			if k/side/2 == p.label/4 && k%side/2 == p.label%4 {
				p.pixels[k] += 190
			}
		}
	}
	return list
}

// writeIDX writes one split as MNIST does.
func writeIDX(t *testing.T, dir, split string, list []picture) {
	t.Helper()
	var pixels, labels []byte
	for _, p := range list {
		pixels, labels = append(pixels, p.pixels[:]...), append(labels, byte(p.label))
	}
	writeSplit(t, dir, split, side, side, pixels, labels)
}

// writeSplit writes images of any size and their labels as MNIST does.
func writeSplit(t *testing.T, dir, split string, height, width int, pixels, labels []byte) {
	t.Helper()
	n := uint32(len(labels))
	head := func(numbers ...uint32) (b []byte) {
		for _, x := range numbers {
			b = binary.BigEndian.AppendUint32(b, x)
		}
		return b
	}
	images := append(head(2051, n, uint32(height), uint32(width)), pixels...)
	labels = append(head(2049, n), labels...)
	require.NoError(t, os.WriteFile(filepath.Join(dir, split+"-images-idx3-ubyte"), images, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, split+"-labels-idx1-ubyte"), labels, 0o644))
}

func trainPictures() []picture { return pictures(trainCount, 1) }
func testPictures() []picture  { return pictures(testCount, 2) }

// document is the configuration of the tests. One thread, so that they do not
// fight with those of other packages.
const document = `
[run]
seed = 7
device = "cpu"
precision = "float32"
threads = 1
[data]
name = "mnist"
path = %q
workers = 2
[network]
nodes = 2
levels = [0, 1]
steps = 2
[search]
epochs = 3
warmup_epochs = 1
batch = 20
width = 2
lr = 0.1
alpha_lr = 0.05
[train]
genotype = %q
width = 3
epochs = 2
batch = 20
lr = 0.1
auxiliary_weight = 0.0
crop_padding = 0
flip = false
cutout = 0
[eval]
batch = 25
`

// wiring is the genotype that the tests train.
const wiring = `{
  "format": "spikedhs-genotype",
  "version": 1,
  "name": "hand-made",
  "downsample": "nearest",
  "ops": ["skip_connect", "snn_b3", "snn_b5"],
  "normal": {
    "nodes": 2,
    "edges": [
      {"node": 0, "edge": 0, "from": "s0", "op": "snn_b3"},
      {"node": 0, "edge": 1, "from": "s1", "op": "snn_b5"},
      {"node": 1, "edge": 3, "from": "s1", "op": "snn_b3"},
      {"node": 1, "edge": 4, "from": "n0", "op": "skip_connect"}
    ]
  }
}
`

// bench is a data set, a configuration for it and room for run folders.
type bench struct {
	dir    string
	config *config.Config
}

// newBench makes a bench and checks at the end of the test that no tensor is left.
func newBench(t *testing.T) *bench {
	t.Helper()
	live.Same(t, torch.LiveTensors)
	b := &bench{dir: t.TempDir()}
	images := filepath.Join(b.dir, "images")
	require.NoError(t, os.Mkdir(images, 0o755))
	writeIDX(t, images, "train", trainPictures())
	writeIDX(t, images, "t10k", testPictures())
	file := b.path("wiring.json")
	require.NoError(t, os.WriteFile(file, []byte(wiring), 0o644))
	c, err := config.Parse("bench.toml", fmt.Appendf(nil, document, images, file))
	require.NoError(t, err)
	b.config = c
	return b
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// job is a run in the folder named name. The configuration is a copy.
func (b *bench) job(name string, change ...func(*config.Config)) Job {
	c := *b.config
	for _, f := range change {
		f(&c)
	}
	return Job{Config: &c, Out: b.path(name), Version: "test", Command: []string{"go", "test"}}
}

// resume continues the run in the folder.
func (b *bench) resume(name string) Job { return Job{Out: b.path(name), Resume: true} }

// inParts does a run up to so many steps, and resumes it for each further number.
func (b *bench) inParts(t *testing.T, start func(context.Context, Job) error, j Job, steps ...int64) {
	t.Helper()
	for _, n := range steps {
		j.MaxSteps = n
		require.NoError(t, start(context.Background(), j))
		folder, err := run.Open(j.Out)
		require.NoError(t, err)
		require.Equal(t, n > 0, folder.Info().Ended.IsZero())
		j = b.resume(filepath.Base(j.Out))
	}
}

// busyInTwo trains as a whole, and another up to step 15.
func (b *bench) busyInTwo(t *testing.T) (cut Job) {
	t.Helper()
	mustTrain(t, b.job("whole", busy))
	cut = b.job("cut", busy)
	b.inParts(t, runs["train"], cut, 15)
	return cut
}

// busy turns on everything that draws random numbers or keeps a state.
func busy(c *config.Config) {
	c.Train.CropPadding, c.Train.Flip, c.Train.Cutout = 1, true, 3
	c.Train.AuxiliaryWeight = 0.4
	c.Train.Epochs = 3
}

// mustSearch and mustTrain run a job to its end.
func mustSearch(t *testing.T, j Job) *SearchResult {
	t.Helper()
	r, err := Search(context.Background(), j)
	require.NoError(t, err)
	return r
}

func mustTrain(t *testing.T, j Job) *TrainResult {
	t.Helper()
	r, err := Train(context.Background(), j)
	require.NoError(t, err)
	return r
}

func mustOpen(t *testing.T, dir string) *Trained {
	t.Helper()
	trained, err := Open(context.Background(), dir, "", "")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, trained.Close()) })
	return trained
}

// classOf is the evaluation of a network that names classes, classes the same with an
// error, networkOf the network.
func classOf(e task.Evaluation) classify.Evaluation { return e.(classify.Evaluation) }

func classes(e task.Evaluation, err error) (classify.Evaluation, error) {
	if err != nil {
		return classify.Evaluation{}, err
	}
	return classOf(e), nil
}

func networkOf(t *Trained) *classify.Network { return t.Network.(*classify.Network) }

// check compares an exported model with its network on so many images.
func check(t *testing.T, trained *Trained, path string, count int) classify.Agreement {
	t.Helper()
	found, err := trained.Network.Check(context.Background(), path, count)
	require.NoError(t, err)
	return found.(classify.Agreement)
}

// argmax is the place of the largest number.
func argmax(v []float32) int { return slices.Index(v, slices.Max(v)) }

// remains is what a run leaves that one seed decides.
type remains struct{ metrics, checkpoint, genotype string }

func (b *bench) remains(t *testing.T, name string) remains {
	t.Helper()
	return remains{
		metrics:    regexp.MustCompile(`,"wall":\{.*`).ReplaceAllString(string(b.file(t, name, run.MetricsFile)), "}"),
		checkpoint: string(b.file(t, name, run.CheckpointDir, CheckpointFile)),
		genotype:   string(b.file(t, name, run.GenotypeFile)),
	}
}

// require compares without printing a checkpoint.
func (r remains) require(t *testing.T, have remains) {
	t.Helper()
	require.Equal(t, r.metrics, have.metrics)
	require.Equal(t, r.genotype, have.genotype)
	require.True(t, r.checkpoint == have.checkpoint, "checkpoints differ")
}

func (b *bench) file(t *testing.T, elements ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{b.dir}, elements...)...))
	require.NoError(t, err)
	return text
}

func (b *bench) records(t *testing.T, name string) []run.Record {
	t.Helper()
	list, err := run.ReadMetrics(filepath.Join(b.dir, name, run.MetricsFile))
	require.NoError(t, err)
	return list
}

// ofKind picks the records of a kind.
func ofKind(list []run.Record, kind string) []run.Record {
	var some []run.Record
	for _, r := range list {
		if r.Kind == kind {
			some = append(some, r)
		}
	}
	return some
}

func number(t *testing.T, r run.Record, key string) float64 {
	t.Helper()
	x, ok := r.Fields.Float(key)
	require.True(t, ok, "%s has no %s", r.Kind, key)
	return x
}

// snapshot is every file below a folder with its content.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	}))
	return files
}

// trigger is an output for progress that acts when the bar shows a state.
type trigger struct {
	label, count string
	act          func()
}

func (w *trigger) Write(text []byte) (int, error) {
	if strings.Contains(string(text), w.label+" [") && strings.Contains(string(text), "] "+w.count+" ") {
		w.act()
	}
	return len(text), nil
}

// onProgress acts when, for example, "train 2/3" has come to "5/10" batches.
func onProgress(label, count string, act func()) *run.Progress {
	p := run.NewProgress(&trigger{label, count, act})
	p.Terminal = true
	p.Width = func() int { return 200 }
	var seconds int64
	p.Now = func() time.Time { // every bar is due
		seconds++
		return time.Unix(seconds, 0)
	}
	return p
}
