package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spikedhs/spikedhs/data"
	"github.com/spikedhs/spikedhs/search"
	"github.com/spikedhs/spikedhs/search/genotype"
	"github.com/spikedhs/spikedhs/search/graph"
	"github.com/spikedhs/spikedhs/torch"
	"github.com/spikedhs/spikedhs/train/config"
	"github.com/spikedhs/spikedhs/train/run"
)

// Evaluation is the accuracy of a network on a set of images.
type Evaluation struct {
	// Top1 and Top5 are the shares, in percent, of images whose label is the
	// first guess, or among the first five.
	Top1 float64 `json:"top1"`
	Top5 float64 `json:"top5"`
	// Loss is the mean cross entropy in nats.
	Loss float64 `json:"loss"`
	// Images is the number of images.
	Images int `json:"images"`
	// Parameters is the number of trained numbers of the network.
	Parameters int64 `json:"parameters"`
	// Confusion counts images by label (row) and first guess (column).
	Confusion [][]int `json:"confusion"`
	// Classes are the names of the rows and columns.
	Classes []string `json:"classes"`
	// Activity is how often the neurons fired, and the operations and energy that
	// follow from it; nil where nothing was counted.
	Activity *graph.Activity `json:"activity,omitempty"`
}

// EvaluationFile is where a run folder keeps its last evaluation.
const EvaluationFile = "evaluation.json"

func writeEvaluation(folder *run.Folder, e Evaluation) error {
	err := folder.Write(EvaluationFile, func(w io.Writer) error {
		return json.NewEncoder(w).Encode(e)
	})
	if err != nil {
		return fmt.Errorf("train: write evaluation: %w", err)
	}
	return nil
}

// runner computes logits of plain images; [graph.Program.Run] is one, and so
// is an exported model.
type runner func(*torch.Scope, torch.Tensor) torch.Tensor

// evaluate runs a whole set; tick, when given, is told each batch.
func evaluate(ctx context.Context, forward runner, d torch.Device, loader *data.Loader, tick func(n int)) (Evaluation, error) {
	defer torch.Pin()()
	var e Evaluation
	var loss float64
	var first, five int
	batches := loader.Epoch(ctx, 0, 0)
	defer batches.Close()
	for {
		b, err := batches.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Evaluation{}, fmt.Errorf("train: evaluate: %w", err)
		}
		s := torch.NewInference()
		device := toDevice(s, d, b)
		logits := forward(s, withTime(s, loader.Set(), device.images))
		classes := int(s.Size(logits, 1))
		loss += s.Item(s.CrossEntropy(logits, device.labels)) * float64(b.N)
		guesses, err := torch.ToSlice[int64](s.TopK(logits, min(5, classes)))
		if failed := s.Close(); failed != nil {
			err = failed
		}
		if err != nil {
			return Evaluation{}, fmt.Errorf("train: evaluate: %w", err)
		}
		if e.Confusion == nil {
			e.Confusion = make([][]int, classes)
			for i := range e.Confusion {
				e.Confusion[i] = make([]int, classes)
			}
		}
		width := len(guesses) / b.N
		for i, label := range b.Labels {
			row := guesses[i*width : (i+1)*width]
			e.Confusion[label][row[0]]++
			for place, guess := range row {
				if guess == label {
					five++
					if place == 0 {
						first++
					}
				}
			}
		}
		e.Images += b.N
		if tick != nil {
			tick(b.N)
		}
		b.Release()
	}
	n := float64(max(e.Images, 1))
	e.Top1, e.Top5, e.Loss = 100*float64(first)/n, 100*float64(five)/n, loss/n
	return e, nil
}

// evaluateProgram runs the inference form of a network over a whole set and
// counts its spikes on the way.
func evaluateProgram(ctx context.Context, p *graph.Program, o search.Options, c *config.Config, d torch.Device, loader *data.Loader, tick func(n int)) (Evaluation, error) {
	count := newCounter(p, evalPrecision(c, d), c.Eval.CountImages)
	e, err := evaluate(ctx, count.forward, d, loader, tick)
	if err != nil {
		return Evaluation{}, err
	}
	if e.Images == 0 {
		return e, nil
	}
	spiking := o.Activation != search.ActivationReLU && o.Stem == search.StemSpike
	e.Activity, err = count.activity(spiking)
	return e, err
}

// Trained is a finished network read from a run folder.
type Trained struct {
	Folder  *run.Folder
	Network *search.Network
	// Top1 is the accuracy that the training measured last, nil if it never did.
	Top1 *float64

	config  *config.Config
	machine machine
	sets    *images
}

// Open reads the network of a run folder. checkpoint names another checkpoint
// than the run's last one, and device overrides the run's ("" keeps it).
func Open(ctx context.Context, dir, checkpointPath, device string) (*Trained, error) {
	folder, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	c := *folder.Config()
	if c.IsStereo() {
		return nil, fmt.Errorf("train: %s is a run of stereo, not of image classification: open it with OpenStereo", dir)
	}
	if device != "" {
		c.Run.Device = device
	}
	t := &Trained{Folder: folder, config: &c}
	if t.machine, err = setUpToUse(&c); err != nil {
		return nil, err
	}
	g, err := genotype.Load(folder.Path(run.GenotypeFile))
	if err != nil {
		return nil, err
	}
	if t.sets, err = openImages(ctx, &c); err != nil {
		return nil, err
	}
	o := trainOptions(&c, t.sets, t.machine)
	if checkpointPath == "" {
		checkpointPath = folder.Path(run.CheckpointDir, CheckpointFile)
	}
	saved, err := readCheckpoint(checkpointPath)
	if err != nil {
		return nil, err
	}
	defer saved.close()
	if err := saved.check(phaseTrain, fingerprint(g, o)); err != nil {
		return nil, err
	}
	t.Top1 = saved.at.Accuracy
	if t.Network, err = search.NewNetwork(t.machine.device, g, o); err != nil {
		return nil, err
	}
	if err := saved.assign(t.Network.Variables(), "network"); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// Close frees the network.
func (t *Trained) Close() error { return t.Network.Close() }

// Evaluate measures the folded network on all test images of the run.
func (t *Trained) Evaluate(ctx context.Context, progress *run.Progress) (Evaluation, error) {
	p, err := t.Network.Program(t.sets.input())
	if err != nil {
		return Evaluation{}, err
	}
	defer p.Close()
	loader, err := t.sets.plainLoader(t.config, t.sets.test)
	if err != nil {
		return Evaluation{}, err
	}
	if progress == nil {
		progress = run.NewProgress(io.Discard)
	}
	progress.Start("evaluate", "images", t.sets.test.Len(), 0)
	e, err := evaluateProgram(ctx, p, t.Network.Options, t.config, t.machine.device, loader, func(n int) { progress.Add(n, "") })
	if err != nil {
		progress.Stop()
		return Evaluation{}, err
	}
	progress.End(fmt.Sprintf("top-1 %.2f %%, top-5 %.2f %%", e.Top1, e.Top5))
	warnOfCorrupt(slog.Default(), data.Test, t.sets.test)
	e.Classes = t.sets.test.Classes()
	e.Parameters, err = t.Network.Parameters()
	return e, err
}

// evalPrecision resolves eval.precision for a run.
func evalPrecision(c *config.Config, d torch.Device) search.Precision {
	return InferencePrecision(c.Eval.Precision, resolvePrecision(c.Run.Precision, d), d)
}

// InferencePrecision is what eval.precision means for a network that was trained
// with convolutions in the given precision: "auto" is bfloat16 if that was, too,
// and the CPU multiplies tiles of it ([torch.MatrixTiles]). Everywhere else it is
// float32, whose event-driven form is then the faster one. On the CPU float16 means
// "auto", so that a run of a GPU can be evaluated anywhere.
func InferencePrecision(name string, trained search.Precision, d torch.Device) search.Precision {
	switch {
	case name != "auto" && (name != string(search.Float16) || torch.IsCUDA(d)):
		return search.Precision(name)
	case trained == search.BFloat16 && !torch.IsCUDA(d) && torch.MatrixTiles():
		return search.BFloat16
	}
	return search.Float32
}
